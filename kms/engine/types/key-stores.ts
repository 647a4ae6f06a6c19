import type { PageInput, PageOutput } from './keys.ts'

export interface CustomKeyStoreIdInput {
  readonly CustomKeyStoreId: string
}

/** What signs the requests to an external key store proxy. */
export interface XksProxyCredential {
  /** 20–30 of A–Z and 2–7. */
  readonly AccessKeyId: string
  /** 43–64 characters of base64. */
  readonly RawSecretAccessKey: string
}

/** Where an external key store proxy is. */
export interface XksProxyLocation {
  /** `https://` and a host name; every proxy answers on port 443. */
  readonly XksProxyUriEndpoint?: string | undefined
  /** Ends in `/kms/xks/v1`. */
  readonly XksProxyUriPath?: string | undefined
  readonly XksProxyAuthenticationCredential?: XksProxyCredential | undefined
  /** `PUBLIC_ENDPOINT`: there are no VPC endpoint services here. */
  readonly XksProxyConnectivity?: string | undefined
  readonly XksProxyVpcEndpointServiceName?: string | undefined
  readonly XksProxyVpcEndpointServiceOwner?: string | undefined
}

export interface CreateCustomKeyStoreInput extends XksProxyLocation {
  /** 1–256 characters, no other store's. */
  readonly CustomKeyStoreName: string
  /** `AWS_CLOUDHSM` (default) or `EXTERNAL_KEY_STORE`. */
  readonly CustomKeyStoreType?: string | undefined
  /** Id of a hardware security module that the administrator has set up. */
  readonly CloudHsmClusterId?: string | undefined
  readonly TrustAnchorCertificate?: string | undefined
  /** The PIN, 7–32 characters. */
  readonly KeyStorePassword?: string | undefined
}

export interface CreateCustomKeyStoreOutput {
  readonly CustomKeyStoreId: string
}

export interface UpdateCustomKeyStoreInput extends CustomKeyStoreIdInput, XksProxyLocation {
  readonly NewCustomKeyStoreName?: string | undefined
  readonly CloudHsmClusterId?: string | undefined
  readonly KeyStorePassword?: string | undefined
}

export interface DescribeCustomKeyStoresInput extends PageInput {
  readonly CustomKeyStoreId?: string | undefined
  readonly CustomKeyStoreName?: string | undefined
}

export interface CustomKeyStoresListEntry {
  readonly CustomKeyStoreId: string
  readonly CustomKeyStoreName: string
  readonly CustomKeyStoreType: string
  readonly ConnectionState: string
  /** Of a connection that failed. */
  readonly ConnectionErrorCode?: string
  readonly CreationDate: Date
  readonly CloudHsmClusterId?: string
  readonly TrustAnchorCertificate?: string
  readonly XksProxyConfiguration?: {
    readonly AccessKeyId: string
    readonly Connectivity: string
    readonly UriEndpoint: string
    readonly UriPath: string
  }
}

export interface DescribeCustomKeyStoresOutput extends PageOutput {
  readonly CustomKeyStores: readonly CustomKeyStoresListEntry[]
}
