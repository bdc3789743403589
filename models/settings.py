"""How this installation is set up: every setting is an environment variable that begins with `OUTWATCH_`."""

import os
import re
import socket
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote

from pydantic import AfterValidator, DirectoryPath, Field, FilePath, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from models.customers import SECRET_BYTES_MIN
from models.secret import FILE, Secret, SecretFiles, is_secret
from models.topics import Partitioner, Topics

__all__ = ["LOCAL", "PREFIX", "Settings", "settings_problems", "settings_table"]

PREFIX = "OUTWATCH_"

# Up to the last @: a password is often pasted as it is, with characters that an URL would want encoded.
_URL_WITH_PASSWORD = re.compile(r"(?P<scheme>\w+://)(?P<user>[^:@/]*):(?P<password>.*)@(?P<rest>[^@]*)", re.DOTALL)

TopicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]


def _networks(text: str) -> str:
    for each in filter(None, map(str.strip, text.split(","))):
        try:
            ip_network(each)
        except ValueError as error:
            msg = f"{each} is no network: {error}"
            raise ValueError(msg) from None
    return text


def _worker_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class Settings(BaseSettings):
    """Validated once, at the start of a process; `Settings()` reads the environment.

    Raises:
        pydantic.ValidationError: if a variable does not hold; the error names the field.
    """

    # Inputs are not repeated in errors, because one of them may be a secret.
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    brokers: str = Field(default="127.0.0.1:9092", min_length=1, description="Kafka brokers to start from, host:port, separated by commas.")
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        pattern=r"^(redis|rediss|unix)://",
        description="The Redis that holds the view: redis://, rediss:// (TLS) or unix://. A password in it becomes the one below.",
    )
    redis_password: Secret = Field(default=None, description="The password for Redis.")
    redis_ssl_cafile: FilePath | None = Field(
        default=None, description="Certificates (PEM) of who signed that of Redis; the system's if not set."
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="What the brokers' listener speaks: PLAINTEXT, SSL (TLS), SASL_PLAINTEXT or SASL_SSL."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How SASL proves who we are: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    kafka_username: str | None = Field(default=None, min_length=1, description="The user for SASL.")
    kafka_password: Secret = Field(default=None, description="The password for SASL.")
    kafka_ssl_cafile: FilePath | None = Field(
        default=None, description="Certificates (PEM) of who signed those of the brokers; the system's if not set."
    )
    kafka_ssl_certfile: FilePath | None = Field(
        default=None, description="Our own certificate (PEM), where the brokers want one; it may hold the key."
    )
    kafka_ssl_keyfile: FilePath | None = Field(default=None, description="The key of our certificate (PEM, not encrypted).")
    app_id: TopicName = Field(
        default="outwatch",
        description="Names the consumer group, the state and the view. Another id starts from nothing beside the first.",
    )
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,60}$")] = Field(
        default="", description="Goes before every topic name, so that installations can share a cluster."
    )
    partitions: int = Field(
        default=24, ge=1, le=1000, description="Partitions of every topic. Fixed for life: a partner's number depends on it."
    )
    replication: int = Field(
        default=-1, ge=-1, le=32, description="Replicas of each topic that `outwatch topics create` makes; -1 is the cluster's own default."
    )
    partitioner: Partitioner = Field(
        default=Partitioner.MURMUR2,
        description="The hash of the producers of the input topics: murmur2 (Java, aiokafka) or crc32 (librdkafka).",
    )
    clock: Literal["wall", "log"] = Field(
        default="wall",
        description="What moves stream time: wall is arrival in Kafka; log is `clock.advanced` records only (replay, demo, simulation).",
    )
    worker: str = Field(
        default_factory=_worker_name,
        min_length=1,
        max_length=200,
        description="The name of this worker in heartbeats and logs; by default host and process.",
    )
    commit_interval_seconds: float = Field(
        default=1.0, ge=0.05, le=60, description="Time between two transactions of a partition; a transition goes at once."
    )
    session_timeout_seconds: float = Field(
        default=12.0,
        ge=6,
        le=300,
        description="A worker that is silent for this long loses its partitions to the others: the length of a takeover.",
    )
    max_records_per_second: int = Field(
        default=2000, ge=1, le=1_000_000, description="Records that a worker publishes at most; the partners' own come first."
    )
    max_bytes_per_second: int = Field(default=5_000_000, ge=10_000, le=1_000_000_000, description="Bytes that a worker publishes at most.")
    dead_letter_mask: bool = Field(
        default=False,
        description="Keep dead letters and late records, where they are JSON, without what names customers and what they wrote.",
    )
    customer_secret: Secret = Field(
        default=None,
        min_length=SECRET_BYTES_MIN,
        description="Makes customer keys of telephone numbers and the like, for `outwatch replay`; at least 16 bytes.",
    )

    http_host: str = Field(default="127.0.0.1", min_length=1, description="Where each process answers to the next setting.")
    http_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="The port of /livez, /readyz and /metrics, one a process; 0 is none. The image sets 9464.",
    )
    desk_host: str = Field(default="127.0.0.1", min_length=1, description="Where the desk answers (docs/desk.md).")
    desk_port: int = Field(default=8080, ge=0, le=65_535, description="Its port; 0 is any that is free.")
    desk_users: FilePath | None = Field(default=None, description="The file of who may use the desk: names, roles, hashes of tokens.")
    desk_secret: Secret = Field(
        default=None,
        min_length=SECRET_BYTES_MIN,
        description="Signs the sessions of the desk, at least 16 bytes: one for all of them. Without it each draws its own when it begins.",
    )
    desk_identity_header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,99}$")] | None = Field(
        default=None, description="The header by which a proxy names who asks, such as X-Forwarded-User."
    )
    desk_trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        default="", description="Networks (10.1.2.3/32, by commas) of proxies whose header of identity and X-Forwarded-For are believed."
    )
    stall_seconds: float = Field(
        default=60.0,
        ge=10,
        le=3600,
        description="A worker whose commits, input or event loop stand still for this long ends itself with exit code 4, saying why.",
    )
    secrets_dir: DirectoryPath | None = Field(
        default=None, description="A folder with a file for each secret that receivers of pages and call-backs name."
    )
    notify_networks: Annotated[str, AfterValidator(_networks)] = Field(
        default="",
        description="Networks (10.1.0.0/16, by commas) that pages may go to although they are not public: an Alertmanager of your own.",
    )
    smtp_host: str | None = Field(default=None, min_length=1, description="The mail server that pages go by.")
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How it is spoken to: starttls, tls from the first byte on, or none."
    )
    smtp_username: str | None = Field(default=None, min_length=1, description="The user at the mail server.")
    smtp_password: Secret = Field(default=None, description="The password at the mail server.")
    mail_from: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$", max_length=254)] = Field(
        default="outwatch@localhost", description="Who pages by mail come from."
    )
    callbacks_host: str = Field(default="127.0.0.1", min_length=1, description="Where the notifier hears what pagers and chats call back.")
    callbacks_port: int = Field(default=0, ge=0, le=65_535, description="The port of these call-backs; 0 is none (docs/notifications.md).")
    audit_ping_url: Secret = Field(
        default=None, description="The address of a heartbeat elsewhere that the auditor pings while all holds (docs/audit.md)."
    )
    audit_ping_method: Literal["GET", "POST"] = Field(default="GET", description="How it is pinged.")
    audit_ping_seconds: float = Field(default=60.0, ge=5, le=3600, description="Between two pings.")
    audit_receivers: FilePath | None = Field(
        default=None, description="A file with `version: 1` and `receivers:`, as in a policy: whom the auditor tells of an alarm."
    )
    audit_again_minutes: float = Field(default=30.0, ge=1, le=1440, description="They are told again after so long while it goes on.")

    @property
    def topics(self) -> Topics:
        """The names of this installation's topics."""
        return Topics(self.topic_prefix)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed, then files of secrets, then the environment."""
        return (init_settings, SecretFiles(settings_cls), *others, *named.values())

    @model_validator(mode="before")
    @classmethod
    def _take_password_out_of_url(cls, values: dict[str, Any]) -> dict[str, Any]:
        """So that the URL can be shown: it stands in messages."""
        url = str(values.get("redis_url", ""))
        if "password=" in url.partition("?")[2]:
            msg = f"{PREFIX}REDIS_URL: it names a password as an option: set {PREFIX}REDIS_PASSWORD instead"
            raise ValueError(msg)
        found = _URL_WITH_PASSWORD.fullmatch(url)
        if found is None:
            return values
        if values.get("redis_password") is not None:
            msg = f"{PREFIX}REDIS_PASSWORD: {PREFIX}REDIS_URL holds a password as well: keep one of the two"
            raise ValueError(msg)
        user = f"{found['user']}@" if found["user"] else ""
        return values | {"redis_url": f"{found['scheme']}{user}{found['rest']}", "redis_password": unquote(found["password"])}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problem = _contradiction(self)
        if problem is not None:
            name, why = problem
            msg = f"{PREFIX}{name.upper()}: {why}"
            raise ValueError(msg)
        return self


LOCAL: dict[str, Any] = {
    name: field.default for name, field in Settings.model_fields.items() if name.startswith(("kafka_", "redis_")) and name != "redis_url"
}
"""The settings of local services, which are open to this machine: for whoever starts them where the environment names others."""


def _contradiction(settings: Settings) -> tuple[str, str] | None:
    """The setting that does not go with the others, and why; None if all do."""
    protocol, variable = settings.kafka_security_protocol, f"{PREFIX}KAFKA_SECURITY_PROTOCOL"
    for name in ("kafka_username", "kafka_password"):
        given = getattr(settings, name) is not None
        if protocol.startswith("SASL") and not given:
            return name, f"{variable}={protocol} needs it"
        if given and not protocol.startswith("SASL"):
            return name, f"{variable}={protocol} does not use it: set that to SASL_SSL, or remove this"
    for name in ("kafka_ssl_cafile", "kafka_ssl_certfile", "kafka_ssl_keyfile"):
        if getattr(settings, name) is not None and not protocol.endswith("SSL"):
            return name, f"{variable}={protocol} does not use it: set that to {'SASL_' * protocol.startswith('SASL')}SSL, or remove this"
    if settings.kafka_ssl_keyfile is not None and settings.kafka_ssl_certfile is None:
        return "kafka_ssl_certfile", f"{PREFIX}KAFKA_SSL_KEYFILE needs it"
    if settings.desk_identity_header is not None and not settings.desk_trusted_proxies:
        return "desk_trusted_proxies", f"{PREFIX}DESK_IDENTITY_HEADER needs it: anybody could send that header"
    for one, other in (("smtp_username", "smtp_password"), ("smtp_password", "smtp_username")):
        if getattr(settings, one) is not None and getattr(settings, other) is None:
            return other, f"{PREFIX}{one.upper()} needs it"
    if settings.redis_ssl_cafile is not None and not settings.redis_url.startswith("rediss://"):
        return "redis_ssl_cafile", f"{PREFIX}REDIS_URL does not use it: let that begin with rediss://, or remove this"
    return None


def settings_problems(error: ValidationError) -> list[str]:
    """What is wrong, a line for each setting, named by its variable; a value that may hold a secret is not repeated."""
    lines = []
    for problem in error.errors():
        why = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            lines.append(why)  # Of several settings: the text names them.
            continue
        name = str(problem["loc"][0])
        field = Settings.model_fields.get(name)
        hidden = field is None or is_secret(field) or name == "redis_url"
        lines.append(f"{PREFIX}{name.upper()}: {why}" + ("" if hidden else f" (it is {problem['input']!r})"))
    return lines


def settings_table() -> str:
    """All settings as a Markdown table, for the README."""
    rows = ["| variable | default | what |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "host and process" if field.default_factory else "none" if field.default in {None, ""} else f"`{field.default}`"
        file = f" Or `{PREFIX}{name.upper()}{FILE}`: the file that holds it." if is_secret(field) else ""
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description}{file} |")
    return "\n".join(rows) + "\n"
