"""Certificates for one test run: an authority, a server on loopback, a client, and an authority that nobody knows."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

__all__ = ["Certificates"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files; a certificate is together with its key."""

    authority: Path
    server: Path
    client: Path
    """Its common name is `client`."""
    stranger: Path

    @classmethod
    def make(cls, folder: Path) -> "Certificates":
        authority = trustme.CA()
        made = cls(folder / "authority.pem", folder / "server.pem", folder / "client.pem", folder / "stranger.pem")
        authority.cert_pem.write_to_path(made.authority)
        trustme.CA().cert_pem.write_to_path(made.stranger)
        made.server.write_bytes(_with_key(authority.issue_cert("127.0.0.1")))
        made.client.write_bytes(_with_key(authority.issue_cert("client@example.org", common_name="client")))
        return made


def _with_key(issued: trustme.LeafCert) -> bytes:
    key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    # Java reads no key in OpenSSL's own form.
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + b"".join(each.bytes() for each in issued.cert_chain_pems)
