"""What a local Kafka or Redis is secured with, beside its open listener on loopback: TLS, passwords, and rights in Kafka."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Secured"]

_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_LOGIN = "org.apache.kafka.common.security"


@dataclass(frozen=True, slots=True)
class Secured:
    """Certificates and users; who comes in by the open listener may do everything.

    Args:
        certificate: the server's certificate and its key, in one PEM file.
        authority: who signed the certificates of clients, PEM.
        users: passwords by user.
        admins: users, or common names of clients' certificates, that need no rights of their own.
    """

    certificate: Path
    authority: Path
    users: Mapping[str, str] = field(repr=False)
    admins: Sequence[str] = ()

    def broker_properties(self) -> str:
        """Lines for a broker with listeners named SSL, which wants a client's certificate, and SASL_SSL, which wants a user."""
        plain = " ".join(f'user_{name}="{password}"' for name, password in self.users.items())
        jaas = {"plain": f"{_LOGIN}.plain.PlainLoginModule required {plain};"}
        jaas |= {mechanism.lower(): f"{_LOGIN}.scram.ScramLoginModule required;" for mechanism in _SCRAM}
        properties = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.certificate.absolute(),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.authority.absolute(),
            "listener.name.ssl.ssl.client.auth": "required",
            "listener.name.ssl.ssl.principal.mapping.rules": r"RULE:^.*CN=([^,]+).*$/$1/",
            "sasl.enabled.mechanisms": ",".join(("PLAIN", *_SCRAM)),
            **{f"listener.name.sasl_ssl.{mechanism}.sasl.jaas.config": line for mechanism, line in jaas.items()},
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": ";".join(f"User:{name}" for name in ("ANONYMOUS", *self.admins)),
        }
        return "".join(f"{name}={value}\n" for name, value in properties.items())

    def scram_arguments(self) -> Iterator[str]:
        """What the storage of a new broker is formatted with, so that it knows the users."""
        for name, password in self.users.items():
            for mechanism in _SCRAM:
                yield from ("--add-scram", f"{mechanism}=[name={name},password={password}]")

    def redis_arguments(self, tls_port: int) -> Iterator[str]:
        """The options of a redis-server with TLS beside its open port; on both a user and a password are wanted."""
        certificate = str(self.certificate)
        yield from ("--tls-port", str(tls_port), "--tls-cert-file", certificate, "--tls-key-file", certificate)
        yield from ("--tls-ca-cert-file", str(self.authority), "--tls-auth-clients", "no")
        yield from ("--user", "default", "off")
        for name, password in self.users.items():
            yield from ("--user", name, "on", f">{password}", "~*", "&*", "+@all")
