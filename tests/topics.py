"""Topics as tests need them."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from models.settings import Settings

__all__ = ["with_times_of_their_own"]


async def with_times_of_their_own(settings: Settings, *topics: str) -> None:
    """Let the records that are to come keep the times that they are sent with."""
    configs = {spec.name: spec.config | {"message.timestamp.type": "CreateTime"} for spec in settings.topics.specs(settings.app_id)}
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs[topic]) for topic in topics])
    finally:
        await admin.close()
