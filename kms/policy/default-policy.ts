/**
 * The policy of a key that is made without one: it allows everything to the account, which passes it on by policies of
 * its identities (AWS KMS Developer Guide, "Default key policy").
 *
 * @param partition of ARNs, `aws`
 * @param account twelve digits
 */
export function defaultKeyPolicy(partition: string, account: string): string {
  return `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:${partition}:iam::${account}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`
}
