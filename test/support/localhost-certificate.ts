/**
 * A certificate for localhost that nothing trusts unless told to, for the mail server of the tests. Node makes no certificates and
 * not every machine has openssl, so it lies here. Its key protects nothing. It lasts until the year 2126.
 */
export const localhostCertificate = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUF0FCaY0bgLtYX6Y/j/NNtNZPMJwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE1MDM1M1oYDzIxMjYxMDMx
MTUwMzUzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARqKLDx85e3eGlAxFdq0Lw2wic6rcKuzpJaQ23dnn+rcb39NZhDw8g2
nIWbCDhOnSk/fb8HH0qOuy/rsPOJi6auo28wbTAdBgNVHQ4EFgQUZkzXrgVmhOFT
54h7OlBaFkIW4S8wHwYDVR0jBBgwFoAUZkzXrgVmhOFT54h7OlBaFkIW4S8wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgHjZlEVntJQlR5cLMHns2WX71uA1L7VlbHla5b+V5GEYCIQDg
KJaFLFIG36fXljjf4dhXqvosRcQODfF4mHz3LNf4nA==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGQjj9kw1H8X2i0xs
dFzPQAyVmokpeTxODIsYUcXyyZ6hRANCAARqKLDx85e3eGlAxFdq0Lw2wic6rcKu
zpJaQ23dnn+rcb39NZhDw8g2nIWbCDhOnSk/fb8HH0qOuy/rsPOJi6au
-----END PRIVATE KEY-----`,
};
