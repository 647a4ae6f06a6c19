// The functions of build/core.wasm on secret inputs. Secret are keys, plaintexts, additional data, messages and
// salts of hashes, and what PKCS #1 unpads; public are lengths, IVs, ciphertexts, message ids and results that go
// out. Each check also wants its result secret before it is revealed, so that the secrets did get there, equal to
// the published one, and no secret bit left anywhere in memory once key and arena have been wiped.

#include "core.h"

static uint32_t set_key(uint32_t slot, uint32_t key_bytes) {
  put_secret_pattern(io, key_bytes);
  return w2c_core_setKey(&core, slot, key_bytes);
}

// GCM specification, test cases 4, 10 and 16.
static const char *gcm_key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
static const char *gcm_iv = "cafebabefacedbaddecaf888";
static const char *gcm_aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
static const char *gcm_text = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                              "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
static const char *gcm_sealed[] = {
  "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
  "5bc94fbc3221a5db94fae95ae7121a47",
  "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710"
  "2519498e80f1478f37ba55bd6d27618c",
  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
  "76fc6ece0f4e1768cddf8853bb2d551b",
};

static void gcm_published(void) {
  for (int i = 0; i < 3; i++) {
    begin();
    put(io, gcm_key);
    make_secret(io, 16 + 8 * i);
    uint32_t generation = w2c_core_setKey(&core, i, 16 + 8 * i);
    put(io, gcm_iv);
    put_secret(io + 16, gcm_aad);
    uint32_t length = put_secret(io + 36, gcm_text);
    expect(w2c_core_gcmSeal(&core, i, generation, 20, length) == 1, "gcmSeal answers 1");
    // ciphertext and tag are what goes out
    expect_result(io + 36, gcm_sealed[i], "the published ciphertext and tag");
    expect(w2c_core_gcmOpen(&core, i, generation, 20, length) == 1, "gcmOpen answers 1");
    reveal_secret(io + 36, length);
    w2c_core_releaseKey(&core, i, generation);
    end();
  }
}

static void gcm_lengths(void) {
  static const uint32_t lengths[] = {0, 1, 15, 16, 17, 64, 95, 96, 97, 127, 128, 129, 255, 300, 1000, 5003};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    uint32_t length = lengths[i], aad = lengths[(i * 5) % 11];
    begin();
    uint8_t *text = io + 16 + aad;
    uint32_t generation = set_key(3, 32);
    put_pattern(io, 12);
    put_secret_pattern(io + 16, aad);
    put_secret_pattern(text, length);
    w2c_core_gcmSeal(&core, 3, generation, aad, length);
    reveal_secret(text, length + 16);
    // a forged message: the refusal is public, and the text stays the public ciphertext
    text[length + 15] ^= 1;
    expect(w2c_core_gcmOpen(&core, 3, generation, aad, length) == 0, "a forged tag is refused");
    expect(first_secret(text, length + 16) < 0, "nothing decrypted");
    text[length + 15] ^= 1;
    expect(w2c_core_gcmOpen(&core, 3, generation, aad, length) == 1, "gcmOpen answers 1");
    reveal_secret(text, length);
    expect(is_pattern(text, length), "the plaintext");
    w2c_core_releaseKey(&core, 3, generation);
    end();
  }
}

static void gcm_windows(void) {
  static uint8_t sealed[384 + 77 + 16];
  static const uint32_t windows[] = {128, 256, 77};
  begin();
  uint32_t generation = set_key(31, 24);
  for (int is_open = 0; is_open < 2; is_open++) {
    put_pattern(io, 12);
    w2c_core_gcmBegin(&core, 31, generation);
    for (int i = 0; i < 2; i++) {
      put_secret_pattern(io, i == 0 ? 256 : 33);
      w2c_core_gcmAad(&core, i == 0 ? 256 : 33);
    }
    uint32_t at = 0;
    for (int i = 0; i < 3; at += windows[i++]) {
      if (is_open) {
        memcpy(io, sealed + at, windows[i] + (i == 2 ? 16 : 0));
        expect(w2c_core_gcmAuthenticate(&core, windows[i], i == 2) == 1, "the windows are authentic");
      } else {
        put_secret_pattern(io, windows[i]);
        w2c_core_gcmEncrypt(&core, windows[i], i == 2);
        reveal_secret(io, windows[i] + (i == 2 ? 16 : 0));
        memcpy(sealed + at, io, windows[i] + (i == 2 ? 16 : 0));
      }
    }
  }
  for (uint32_t i = 0, at = 0; i < 3; at += windows[i++]) {
    memcpy(io, sealed + at, windows[i]);
    w2c_core_gcmDecrypt(&core, windows[i], i == 2);
    reveal_secret(io, windows[i]);
    expect(is_pattern(io, windows[i]), "the plaintext");
  }
  w2c_core_releaseKey(&core, 31, generation);
  end();
}

static uint32_t set_message_key(uint32_t slot, uint32_t suite) {
  put_secret_pattern(io, 32);
  put_pattern(io + 32, 32);
  return w2c_core_setMessageKey(&core, slot, suite);
}

static void commitment(void) {
  static const uint32_t suites[] = {0x0478, 0x0578};
  for (int i = 0; i < 2; i++) {
    begin();
    uint32_t generation = set_message_key(i, suites[i]);
    expect(w2c_core_readCommitment(&core, i, generation) == 1, "readCommitment answers 1");
    // the commit key stands in the header
    reveal_secret(io, 32);
    expect(reveal_value(w2c_core_matchesCommitment(&core, i, generation)) == 1, "the commitment matches");
    io[31] ^= 0x80;
    expect(reveal_value(w2c_core_matchesCommitment(&core, i, generation)) == 0, "another one does not");
    w2c_core_releaseKey(&core, i, generation);
    end();
  }
}

static const uint32_t all_suites[] = {0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378, 0x0478, 0x0578};

static void export_message_key(void) {
  for (size_t i = 0; i < sizeof all_suites / sizeof *all_suites; i++) {
    begin();
    put_secret_pattern(io, 32);
    put_pattern(io + 32, 32);
    uint32_t bytes = w2c_core_exportMessageKey(&core, all_suites[i]);
    expect(bytes == 16 || bytes == 24 || bytes == 32, "the bytes of an AES key");
    // the key is handed out to the runtime's AES, as the caller asked; nothing else of it stays behind
    reveal_secret(io, bytes);
    end();
  }
}

static void frames(void) {
  const uint32_t length = 300, frame_length = 128;
  for (size_t i = 0; i < sizeof all_suites / sizeof *all_suites; i++) {
    begin();
    uint32_t generation = set_message_key(5, all_suites[i]);
    put_secret_pattern(io, length);
    uint32_t written = w2c_core_sealFrames(&core, 5, generation, length, frame_length, 1, 1);
    expect(written == length + 3 * 32 + 8, "three frames");
    expect(first_secret(out, 16) < 0, "a public frame head");
    // frames go out
    reveal(out, written);
    memcpy(io, out, written);
    expect(w2c_core_openFrames(&core, 5, generation, written, frame_length, 1) == 0, "the frames are authentic");
    reveal_secret(out, length);
    expect(is_pattern(out, length), "the plaintext");
    w2c_core_releaseKey(&core, 5, generation);
    end();
  }
}

static void forged_frame(void) {
  begin();
  uint32_t generation = set_message_key(6, 0x0478);
  put_secret_pattern(io, 100);
  uint32_t written = w2c_core_sealFrames(&core, 6, generation, 100, 64, 1, 1);
  reveal(out, written);
  memcpy(io, out, written);
  io[written - 1] ^= 1;
  // the first frame is authentic: what it held is secret; the second is not, and its refusal is public
  expect(w2c_core_openFrames(&core, 6, generation, written, 64, 1) == 1, "the second frame is refused");
  w2c_core_releaseKey(&core, 6, generation);
  end();
}

static void large_frame(void) {
  begin();
  uint32_t generation = set_message_key(7, 0x0178);
  put_pattern(io, 12);
  expect(w2c_core_gcmBeginFrame(&core, 7, generation, 1, 9, 0, 200) == 1, "gcmBeginFrame answers 1");
  put_secret_pattern(io, 200);
  w2c_core_gcmEncrypt(&core, 200, 1);
  reveal_secret(io, 216);
  w2c_core_releaseKey(&core, 7, generation);
  end();
}

static const char *abc_digests[] = {
  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
};

static void sha2(void) {
  for (int hash = 0; hash < 3; hash++) {
    begin();
    w2c_core_shaBegin(&core, hash);
    put_secret(io, "616263");
    w2c_core_shaEnd(&core, hash, 3);
    expect_result(io, abc_digests[hash], "the published digest");
    w2c_core_shaBegin(&core, hash);
    for (int i = 0; i < 2; i++) {
      put_secret_pattern(io, 384);
      w2c_core_shaUpdate(&core, hash, 384);
      // the state rests outside of the module while another message is hashed
      uint8_t state[72];
      w2c_core_shaSuspend(&core);
      memcpy(state, io, sizeof state);
      w2c_core_shaBegin(&core, 0);
      w2c_core_shaEnd(&core, 0, 64);
      memcpy(io, state, sizeof state);
      w2c_core_shaResume(&core);
    }
    put_secret_pattern(io, 250);
    w2c_core_shaEnd(&core, hash, 250);
    reveal_secret(io, 32 + 16 * hash);
    end();
  }
}

// RFC 4231 section 4.2, test case 1.
static const char *macs[] = {
  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
};

static void hmac(void) {
  for (int hash = 0; hash < 3; hash++) {
    begin();
    w2c_core_hmacBegin(&core, hash, put_secret(io, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"));
    put_secret(io, "4869205468657265");
    w2c_core_hmacEnd(&core, hash, 8);
    expect_result(io, macs[hash], "the published MAC");
    // a key longer than a block is hashed first
    put_secret_pattern(io, 200);
    w2c_core_hmacBegin(&core, hash, 200);
    put_secret_pattern(io, 256);
    w2c_core_shaUpdate(&core, hash, 256);
    put_secret_pattern(io, 119);
    w2c_core_hmacEnd(&core, hash, 119);
    reveal_secret(io, 32 + 16 * hash);
    end();
  }
}

static void hkdf(void) {
  begin();
  // RFC 5869 A.1
  uint32_t salt = put_secret(io, "000102030405060708090a0b0c");
  uint32_t ikm = put_secret(io + salt, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  uint32_t info = put_secret(out + 64, "f0f1f2f3f4f5f6f7f8f9");
  w2c_core_hkdf(&core, 0, salt, ikm, info, 42);
  expect_result(io, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865", "the published OKM");
  end();
  for (int hash = 0; hash < 3; hash++) {
    begin();
    put_secret_pattern(io, 150 + 64);
    put_secret_pattern(out + 64, 140);
    w2c_core_hkdf(&core, hash, 150, 64, 140, 300);
    reveal_secret(io, 300);
    end();
  }
}

static void equal(void) {
  static const uint32_t lengths[] = {1, 16, 33};
  for (int i = 0; i < 3; i++) {
    uint32_t length = lengths[i];
    begin();
    put_secret_pattern(io, length);
    put_secret_pattern(io + length, length);
    // whether two values are equal is what the caller asked for
    expect(reveal_value(w2c_core_equal(&core, length)) == 1, "equal values");
    io[length] ^= 4;
    expect(reveal_value(w2c_core_equal(&core, length)) == 0, "different values");
    end();
  }
}

static void key_wrap(void) {
  // RFC 3394 sections 4.1 and 4.6
  static const char *const keys[] = {"000102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"};
  static const char *const data[] = {"00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f"};
  static const char *const wrapped[] = {"1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
                                        "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"};
  for (int i = 0; i < 2; i++) {
    begin();
    uint32_t key_bytes = put_secret(io, keys[i]);
    uint32_t length = put_secret(io + 40, data[i]);
    w2c_core_wrapKey(&core, key_bytes, length);
    expect_result(io + 32, wrapped[i], "the published wrapped key");
    put_secret(io, keys[i]);
    // whether unwrapping succeeded is public, the key that came out is not
    expect(reveal_value(w2c_core_unwrapKey(&core, key_bytes, length + 8)) == 1, "the wrapped key is authentic");
    expect_result(io + 40, data[i], "the key data");
    put(io + 32, wrapped[i]);
    io[39] ^= 1;
    put_secret(io, keys[i]);
    expect(reveal_value(w2c_core_unwrapKey(&core, key_bytes, length + 8)) == 0, "a forged one is not");
    end();
  }
}

static void key_wrap_padded(void) {
  // RFC 5649 section 6
  static const char *const key = "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8";
  static const char *const data[] = {"c37b7e6492584340bed12207808941155068f738", "466f7250617369"};
  static const char *const wrapped[] = {"138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a", "afbeb0f07dfbf5419200f2ccb50bb24f"};
  for (int i = 0; i < 2; i++) {
    begin();
    put_secret(io, key);
    uint32_t length = put_secret(io + 40, data[i]);
    uint32_t bytes = w2c_core_wrapKeyPadded(&core, 24, length);
    expect(bytes == strlen(wrapped[i]) / 2, "the bytes of the result");
    expect_result(io + 32, wrapped[i], "the published wrapped key");
    put_secret(io, key);
    // the length of what was wrapped, or zero for a refusal, is what goes out
    expect(reveal_value(w2c_core_unwrapKeyPadded(&core, 24, bytes)) == length, "the wrapped key is authentic");
    expect_result(io + 40, data[i], "the key data");
    put(io + 32, wrapped[i]);
    io[32] ^= 1;
    put_secret(io, key);
    expect(reveal_value(w2c_core_unwrapKeyPadded(&core, 24, bytes)) == 0, "a forged one is not");
    end();
  }
}

/** Unpads 00 02 | nonzero … | 00 | 32 bytes of pattern in 128 bytes, of which the byte at `at` was set to `value`. */
static int unpads(uint32_t at, uint8_t value) {
  begin();
  memset(io, 0xa5, 128);
  io[0] = 0, io[1] = 2, io[95] = 0;
  put_pattern(io + 96, 32);
  io[at] = value;
  make_secret(io, 128);
  put_secret_pattern(io + 128, 32);
  put_pattern(io + 160, 128);
  w2c_core_unpadPkcs1Key(&core, 128, 32);
  // only here is it looked at whether the padding was good; nothing but the data key leaves the core
  reveal_secret(io, 32);
  int is_message = is_pattern(io, 32);
  end();
  return is_message;
}

static void unpad_pkcs1(void) {
  expect(unpads(50, 0xff), "the message, when the padding is good");
  expect(!unpads(0, 1), "another key for a first byte that is not 00");
  expect(!unpads(1, 1), "another key for a second byte that is not 02");
  expect(!unpads(2, 0), "another key for a zero at the start of the padding");
  expect(!unpads(94, 0), "another key for a message that is a byte longer");
  expect(!unpads(95, 7), "another key for a missing separator");
}

// The names begin with the exports that a check covers.
static const check_t checks[] = {
  {"setKey gcmSeal gcmOpen releaseKey: published cases", gcm_published},
  {"setKey gcmSeal gcmOpen releaseKey: 16 lengths, forged tags", gcm_lengths},
  {"gcmBegin gcmAad gcmEncrypt gcmAuthenticate gcmDecrypt: windows", gcm_windows},
  {"setMessageKey readCommitment matchesCommitment: both committing suites", commitment},
  {"exportMessageKey: eleven suites", export_message_key},
  {"setMessageKey sealFrames openFrames: eleven suites", frames},
  {"openFrames: a forged frame", forged_frame},
  {"gcmBeginFrame gcmEncrypt: a large frame", large_frame},
  {"shaBegin shaUpdate shaSuspend shaResume shaEnd: SHA-256, SHA-384, SHA-512", sha2},
  {"hmacBegin shaUpdate hmacEnd: short and long keys", hmac},
  {"hkdf: published case, three hashes", hkdf},
  {"equal: equal and different values", equal},
  {"wrapKey unwrapKey: published cases, a forged one", key_wrap},
  {"wrapKeyPadded unwrapKeyPadded: published cases, a forged one", key_wrap_padded},
  {"unpadPkcs1Key: good and bad padding", unpad_pkcs1},
};

RUN_CHECKS(checks)
