/** Files that hold credentials by what they are called, whether or not anybody can read what is inside. */

const CREDENTIAL_FILES: readonly (readonly [what: string, name: RegExp])[] = [
  ['a private SSH key', /(?:^|\/)id_(?:rsa|dsa|ecdsa|ed25519)$/],
  ['a key store', /\.(?:p12|pfx|jks|keystore|kdbx)$/i],
  ['credentials of AWS', /(?:^|\/)\.aws\/credentials$/],
  ['logins of Docker registries', /(?:^|\/)(?:\.docker\/config\.json|\.dockercfg)$/],
  ['credentials of Kubernetes', /(?:^|\/)(?:\.kube\/config|kubeconfig)$/],
  ['credentials of git', /(?:^|\/)\.git-credentials$/],
  ['logins of hosts', /(?:^|\/)[._]netrc$/],
  ['passwords of PostgreSQL', /(?:^|\/)\.pgpass$/],
  ['passwords of users', /(?:^|\/)\.htpasswd$/],
  ['a state of Terraform', /\.tfstate(?:\.backup)?$/],
];

/** What the file is, in words; `undefined` when its name tells nothing. */
export const credentialFile = (path: string): string | undefined =>
  CREDENTIAL_FILES.find(([, name]) => name.test(path))?.[0];
