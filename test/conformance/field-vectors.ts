/** Field sessions as `test/unit/field-session-vectors.test.ts` makes them with `node:crypto`; bytes in hexadecimal. */
export interface FieldSessionVector {
  readonly what: string
  readonly namespace: string
  readonly name: string
  /** Of the raw AES keyring, with `wrappingKey`. */
  readonly wrappingKey: string
  readonly encryptionContext: Readonly<Record<string, string>>
  readonly requiredEncryptionContextKeys: readonly string[]
  readonly header: string
  readonly values: readonly {
    readonly field: string
    readonly record: string
    readonly plaintext: string
    readonly value: string
  }[]
}

export const FIELD_SESSIONS: readonly FieldSessionVector[] = [
  {
    what: 'no context',
    name: 'k1',
    namespace: 'fields',
    wrappingKey: '1f262d343b424950585f666d747b828991989fa6adb4bbc2cad1d8dfe6edf4fb',
    encryptionContext: {},
    requiredEncryptionContextKeys: [],
    header:
      '7766730102047850575e656d747b828990979ea6adb4bbc2c9d0d7dfe6edf4fb020910181f262d0000000100066669656c647300166b31000000800000000cfb020910171e252c343b424900304b10fcd7dc078e8a1d1587da5e9b3104acacd719c184c5649bdc3c60169668b34ee3c7968e9981a033d503604478ec6e02ffffffff74572cbedebcd89fe4e1acd874f06254f45bbd1293f69624e529f6e6e15a716952749b6fd8f59c712f736a36a2eef035',
    values: [
      {
        field: 'email',
        record: 'user/1',
        plaintext: '616461406578616d706c652e6f7267',
        value: '0100000001225b2a0564f282ac946edf708a7aaeddef0b55d3c80d2d6d753e4f681d6152',
      },
      {
        field: 'email',
        record: 'user/1',
        plaintext: '',
        value: '0100000002adf802b109aa584c2406822892b69caa',
      },
      {
        field: '名前',
        record: '👩‍💻',
        plaintext:
          '5d646b727980878e969da4abb2b9c0c7cfd6dde4ebf2f900080f161d242b323941484f565d646b727a81888f969da4abb3bac1c8cfd6dde4ecf3fa01080f161d',
        value:
          '0100000003b9f3c9afa12e038fa9d950feb9db2c19915814276ffac21003b69c1692886e08265308ca5a55c622e8f976774dc42de73d4acd4690a1fd3b3f2e37e51685b2aef1cc529ddbc31c5db82c767134159c32',
      },
      {
        field:
          'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
        record:
          'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr',
        plaintext:
          '7c838a91989fa6adb5bcc3cad1d8dfe6eef5fc030a11181f272e353c434a515860676e757c838a9199a0a7aeb5bcc3cad2d9e0e7eef5fc030b121920272e353c444b525960676e757d848b9299a0a7aeb6bdc4cbd2d9e0e7eff6fd040b121920282f363d444b525961686f767d848b929aa1a8afb6bdc4cbd3dae1e8eff6fd040c',
        value:
          '0101020304efaaa4860af7927e5dd8e0bb975052172afac5dfbb3806e577b2a0a4007373681eae69041d0ec0285d728a67f3602f2f590ef7701d0bc17ed40bbe6a1cee5ecc16dfcc541aa3bb78cf9969e0a2aa49269e04c1d8b8bd72e25715da0bbb37ae3606abfc8ae0c99c98e337c9d40e9a78573d3e91fb66a33aa1b18759a75d14d1b10fa51b9c59ffc57b9c7bbdae93ad641208',
      },
      {
        field: 'last',
        record: 'one',
        plaintext: '9b',
        value: '01ffffffff5629e2f88b0472ae96edd1ad6ad8578e66',
      },
    ],
  },
  {
    what: 'a context',
    name: 'k1',
    namespace: 'fields',
    wrappingKey: '1f262d343b424950585f666d747b828991989fa6adb4bbc2cad1d8dfe6edf4fb',
    encryptionContext: {
      tenant: 'a',
      '～': '',
      '🔒': 'beyond the BMP',
    },
    requiredEncryptionContextKeys: [],
    header:
      '7766730102047850575e656d747b828990979ea6adb4bbc2c9d0d7dfe6edf4fb020910181f262d002a0003000674656e616e740001610003efbd9e00000004f09f9492000e6265796f6e642074686520424d50000100066669656c647300166b31000000800000000cfb020910171e252c343b424900304b10fcd7dc078e8a1d1587da5e9b3104acacd719c184c5649bdc3c60169668b3014d044215702b9fdae6e8d1cb8accd502ffffffff74572cbedebcd89fe4e1acd874f06254f45bbd1293f69624e529f6e6e15a71692ead701b32902dc5456d3e886eb9b751',
    values: [
      {
        field: 'email',
        record: 'user/1',
        plaintext: '616461406578616d706c652e6f7267',
        value: '0100000001225b2a0564f282ac946edf708a7aaeddef0b55d3c80d2d6d753e4f681d6152',
      },
      {
        field: 'email',
        record: 'user/1',
        plaintext: '',
        value: '0100000002adf802b109aa584c2406822892b69caa',
      },
      {
        field: '名前',
        record: '👩‍💻',
        plaintext:
          '5d646b727980878e969da4abb2b9c0c7cfd6dde4ebf2f900080f161d242b323941484f565d646b727a81888f969da4abb3bac1c8cfd6dde4ecf3fa01080f161d',
        value:
          '0100000003b9f3c9afa12e038fa9d950feb9db2c19915814276ffac21003b69c1692886e08265308ca5a55c622e8f976774dc42de73d4acd4690a1fd3b3f2e37e51685b2aef1cc529ddbc31c5db82c767134159c32',
      },
      {
        field:
          'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
        record:
          'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr',
        plaintext:
          '7c838a91989fa6adb5bcc3cad1d8dfe6eef5fc030a11181f272e353c434a515860676e757c838a9199a0a7aeb5bcc3cad2d9e0e7eef5fc030b121920272e353c444b525960676e757d848b9299a0a7aeb6bdc4cbd2d9e0e7eff6fd040b121920282f363d444b525961686f767d848b929aa1a8afb6bdc4cbd3dae1e8eff6fd040c',
        value:
          '0101020304efaaa4860af7927e5dd8e0bb975052172afac5dfbb3806e577b2a0a4007373681eae69041d0ec0285d728a67f3602f2f590ef7701d0bc17ed40bbe6a1cee5ecc16dfcc541aa3bb78cf9969e0a2aa49269e04c1d8b8bd72e25715da0bbb37ae3606abfc8ae0c99c98e337c9d40e9a78573d3e91fb66a33aa1b18759a75d14d1b10fa51b9c59ffc57b9c7bbdae93ad641208',
      },
      {
        field: 'last',
        record: 'one',
        plaintext: '9b',
        value: '01ffffffff5629e2f88b0472ae96edd1ad6ad8578e66',
      },
    ],
  },
  {
    what: 'a required pair',
    name: 'k1',
    namespace: 'fields',
    wrappingKey: '1f262d343b424950585f666d747b828991989fa6adb4bbc2cad1d8dfe6edf4fb',
    encryptionContext: {
      purpose: 'test',
      tenant: 'a',
    },
    requiredEncryptionContextKeys: ['tenant'],
    header:
      '7766730102047850575e656d747b828990979ea6adb4bbc2c9d0d7dfe6edf4fb020910181f262d001100010007707572706f7365000474657374000100066669656c647300166b31000000800000000cfb020910171e252c343b424900304b10fcd7dc078e8a1d1587da5e9b3104acacd719c184c5649bdc3c60169668b3c5c9a46b3ab219e87e0eb9648956148602ffffffff74572cbedebcd89fe4e1acd874f06254f45bbd1293f69624e529f6e6e15a716979f6b001d92dcc938acf141f06ed663f',
    values: [
      {
        field: 'email',
        record: 'user/1',
        plaintext: '616461406578616d706c652e6f7267',
        value: '0100000001225b2a0564f282ac946edf708a7aaeddef0b55d3c80d2d6d753e4f681d6152',
      },
      {
        field: 'email',
        record: 'user/1',
        plaintext: '',
        value: '0100000002adf802b109aa584c2406822892b69caa',
      },
      {
        field: '名前',
        record: '👩‍💻',
        plaintext:
          '5d646b727980878e969da4abb2b9c0c7cfd6dde4ebf2f900080f161d242b323941484f565d646b727a81888f969da4abb3bac1c8cfd6dde4ecf3fa01080f161d',
        value:
          '0100000003b9f3c9afa12e038fa9d950feb9db2c19915814276ffac21003b69c1692886e08265308ca5a55c622e8f976774dc42de73d4acd4690a1fd3b3f2e37e51685b2aef1cc529ddbc31c5db82c767134159c32',
      },
      {
        field:
          'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
        record:
          'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr',
        plaintext:
          '7c838a91989fa6adb5bcc3cad1d8dfe6eef5fc030a11181f272e353c434a515860676e757c838a9199a0a7aeb5bcc3cad2d9e0e7eef5fc030b121920272e353c444b525960676e757d848b9299a0a7aeb6bdc4cbd2d9e0e7eff6fd040b121920282f363d444b525961686f767d848b929aa1a8afb6bdc4cbd3dae1e8eff6fd040c',
        value:
          '0101020304efaaa4860af7927e5dd8e0bb975052172afac5dfbb3806e577b2a0a4007373681eae69041d0ec0285d728a67f3602f2f590ef7701d0bc17ed40bbe6a1cee5ecc16dfcc541aa3bb78cf9969e0a2aa49269e04c1d8b8bd72e25715da0bbb37ae3606abfc8ae0c99c98e337c9d40e9a78573d3e91fb66a33aa1b18759a75d14d1b10fa51b9c59ffc57b9c7bbdae93ad641208',
      },
      {
        field: 'last',
        record: 'one',
        plaintext: '9b',
        value: '01ffffffff5629e2f88b0472ae96edd1ad6ad8578e66',
      },
    ],
  },
]
