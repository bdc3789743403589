"""Topics as tests need them."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from models.clock import now_ms
from models.policy_file import load
from models.settings import Settings
from streams.admin import create
from streams.policies import apply_policy

__all__ = ["install", "with_times_of_their_own"]


async def install(settings: Settings, policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the topics of an installation, apply a policy, and have the environment name what the settings set."""
    for name in settings.model_fields_set:
        monkeypatch.setenv(f"OUTWATCH_{name.upper()}", str(getattr(settings, name)))
    await create(settings)
    await apply_policy(settings, load(policy, "policy.yaml"), now_ms())


async def with_times_of_their_own(settings: Settings, *topics: str) -> None:
    """Let the records that are to come keep the times that they are sent with."""
    configs = {spec.name: spec.config | {"message.timestamp.type": "CreateTime"} for spec in settings.topics.specs(settings.app_id)}
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs[topic]) for topic in topics])
    finally:
        await admin.close()
