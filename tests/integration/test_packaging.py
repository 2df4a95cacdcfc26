"""What is shipped works as shipped: the broker's configuration and access rules, the compose file, the wheel."""

import asyncio
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest
import yaml
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests import servers
from tests.conftest import missing

ROOT = Path(__file__).parents[2]
BROKER = ROOT / "config" / "mosquitto"
SERVICE_PASSWORD = "service-secret"
V5 = aiomqtt.ProtocolVersion.V5


class GuardedBroker:
    """Mosquitto as ``start.sh`` starts it in its container, in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        port = servers.free_port()
        own: dict[str, str | float | bool] = {
            "listener": f"{port} {servers.HOST}",
            "persistence_location": f"{directory}/",
        }
        if os.geteuid() == 0:
            own["user"] = "root"
        files = f"password_file {directory}/passwd\nacl_file {directory}/acl\n"
        configuration = directory / "mosquitto.conf"
        configuration.write_text(servers.broker_configuration(own) + files, encoding="utf-8")
        self.environment = {
            "PATH": f"{os.environ['PATH']}:/usr/sbin",
            "ANSHAO_BROKER_DATA": str(directory),
            "ANSHAO_BROKER_CONFIG": str(configuration),
            "ANSHAO_BROKER_PASSWORD": SERVICE_PASSWORD,
        }
        self.server = servers.Broker(
            "mosquitto",
            ["sh", str(BROKER / "start.sh")],
            directory,
            port,
            lambda: servers.listens(port),
            environment=self.environment,
        )

    def add_gateway(self, enterprise: str, gateway: str) -> str:
        """The gateway's new password."""
        assert self.server.process is not None
        done = subprocess.run(
            ["sh", str(BROKER / "add-gateway.sh"), enterprise, gateway],
            env=os.environ | self.environment | {"ANSHAO_BROKER_PID": str(self.server.process.pid)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()[-1]

    def client(self, user: str | None, password: str | None) -> aiomqtt.Client:
        """A client that signs in so."""
        return aiomqtt.Client(self.server.host, self.server.port, username=user, password=password, protocol=V5)

    def service(self) -> aiomqtt.Client:
        """A client that signs in as the service."""
        return self.client("anshao", SERVICE_PASSWORD)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedBroker]:
    if not servers.installed("mosquitto", "mosquitto_passwd"):
        missing("mosquitto is not installed (Debian package mosquitto); scripts/test installs it")
    broker = GuardedBroker(tmp_path)
    try:
        broker.server.start()
        yield broker
    finally:
        broker.server.stop()


async def until_signed_in(client: aiomqtt.Client, topic: str) -> None:
    """Sign in and publish; the broker reads its files anew a moment after it was told to."""
    async with asyncio.timeout(60):
        while True:
            try:
                async with client:
                    await client.publish(topic, b"hello", qos=1)
            except aiomqtt.MqttCodeError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.mark.servers
async def test_each_gateway_reaches_its_own_topics_and_no_others(guarded: GuardedBroker) -> None:
    own = guarded.client("huarui.gw1", guarded.add_gateway("huarui", "gw1"))
    other_user, other_password = "tianchi.gw1", guarded.add_gateway("tianchi", "gw1")
    async with guarded.service() as service:
        await service.subscribe("anshao/v1/#", qos=1)
        await until_signed_in(own, "anshao/v1/huarui/gw1/status")
        async with guarded.client(other_user, other_password) as other:
            await other.subscribe("#", qos=1)
            for forbidden in (
                "anshao/v1/huarui/gw1/data",
                "anshao/v1/huarui/gw2/data",
                "anshao/v1/alarms/370783/huarui",
            ):
                await other.publish(forbidden, b"forged", qos=1)
            await other.publish("anshao/v1/tianchi/gw1/data", b"own", qos=1)
            await service.publish("anshao/v1/huarui/gw1/receipt", b"another's", qos=1)
            await service.publish("anshao/v1/tianchi/gw1/receipt", b"its own", qos=1)

            heard = [bytes(message.payload) async for message in limited(other, 2)]
            assert heard == [b"own", b"its own"]
        seen = [bytes(message.payload) async for message in limited(service, 4)]
        assert seen == [b"hello", b"own", b"another's", b"its own"]


async def limited(client: aiomqtt.Client, count: int) -> AsyncIterator[aiomqtt.Message]:
    """The next ``count`` messages, within a deadline."""
    async with asyncio.timeout(60):
        for _ in range(count):
            yield await anext(client.messages)


@pytest.mark.servers
@pytest.mark.parametrize(("user", "password"), [(None, None), ("anshao", "wrong"), ("huarui.gw1", "guess")])
async def test_nobody_enters_without_a_credential(
    guarded: GuardedBroker, user: str | None, password: str | None
) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with guarded.client(user, password):
            pass


@pytest.mark.servers
async def test_a_new_password_replaces_the_old_one(guarded: GuardedBroker) -> None:
    old = guarded.add_gateway("huarui", "gw1")
    new = guarded.add_gateway("huarui", "gw1")
    await until_signed_in(guarded.client("huarui.gw1", new), "anshao/v1/huarui/gw1/status")
    with pytest.raises(aiomqtt.MqttError):
        async with guarded.client("huarui.gw1", old):
            pass
    assert (guarded.directory / "acl").read_text(encoding="utf-8").splitlines().count("user huarui.gw1") == 1


@pytest.mark.parametrize(
    "ids", [("anshao", "gw1"), ("alarms", "gw1"), ("huarui", "a/b"), ("hua.rui", "gw1"), ("+", "#")]
)
def test_a_credential_is_refused_for_ids_that_would_reach_further(tmp_path: Path, ids: tuple[str, str]) -> None:
    environment = os.environ | {"ANSHAO_BROKER_DATA": str(tmp_path), "ANSHAO_BROKER_PID": str(os.getpid())}
    done = subprocess.run(
        ["sh", str(BROKER / "add-gateway.sh"), *ids], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.servers
async def test_what_waits_for_the_service_survives_a_restart_of_the_broker(broker: servers.Broker) -> None:
    waiting = 1500  # Mosquitto's own default would drop all but 1000

    def service() -> aiomqtt.Client:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
        return aiomqtt.Client(
            broker.host, broker.port, identifier="anshao", protocol=V5, clean_start=False, properties=properties
        )

    async with service() as client:
        await client.subscribe("anshao/v1/+/+/data", qos=1)
    async with aiomqtt.Client(broker.host, broker.port, max_queued_outgoing_messages=0) as gateway:
        await asyncio.gather(
            *(gateway.publish("anshao/v1/huarui/gw1/data", str(number), qos=1, timeout=60) for number in range(waiting))
        )
    await asyncio.to_thread(broker.restart)
    async with service() as client:
        numbers = [int(message.payload) async for message in limited(client, waiting)]
    assert numbers == list(range(waiting))


@pytest.mark.servers
async def test_a_packet_over_the_limit_costs_its_sender_the_connection(broker: servers.Broker) -> None:
    sign_in = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03gw1"  # MQTT 3.1.1
    length = b"\xc0\xcc\x8d\x08"  # 17,000,000
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection(broker.host, broker.port)
        writer.write(sign_in)
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        writer.write(b"\x32" + length)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


def test_compose_file_is_whole(tmp_path: Path) -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    compose = yaml.safe_load(text)
    services = compose["services"]
    assert set(services) == {"mosquitto", "influxdb", "postgres", "anshao"}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for name, service in services.items():
        assert "healthcheck" in service or ("build" in service and "HEALTHCHECK" in dockerfile), name
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert (ROOT / source).is_dir() if source.startswith(".") else source in compose["volumes"], volume
    for name, condition in services["anshao"]["depends_on"].items():
        assert name in services
        assert condition == {"condition": "service_healthy"}

    named = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    offered = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert named == offered

    if servers.installed("docker") and subprocess.run(["docker", "compose", "version"], check=False).returncode == 0:
        secrets = re.sub(r"(?m)^(\w+)=$", r"\1=secret", (ROOT / ".env.example").read_text(encoding="utf-8"))
        (tmp_path / "env").write_text(secrets, encoding="utf-8")
        command = ["docker", "compose", "--env-file", str(tmp_path / "env"), "config", "--quiet"]
        subprocess.run(command, cwd=ROOT, check=True)


def test_configuration_of_the_container_has_no_faults() -> None:
    secrets = dict.fromkeys(("ANSHAO_BROKER_PASSWORD", "ANSHAO_HISTORIAN_TOKEN"), "secret")
    ledger = {"ANSHAO_LEDGER_URL": "postgresql+asyncpg://anshao:secret@postgres/anshao"}
    command = [str(Path(sys.executable).with_name("anshao")), "check", str(ROOT / "config" / "docker" / "anshao.yaml")]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | secrets | ledger, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def packages() -> list[str]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed: list[str] = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return listed


def package_files() -> Iterator[Path]:
    """Everything that the packages need at run time: code, tables, migrations; the console comes from its build."""
    for package in packages():
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix != ".pyc" and not path.is_relative_to(ROOT / "service" / "static"):
                yield path


def test_image_is_built_from_every_package() -> None:
    taken = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{package}" for package in packages()} <= set(taken)
    assert all((ROOT / line.removeprefix("!")).exists() for line in taken if line.startswith("!"))


@pytest.mark.timeout(600)
def test_wheel_built_from_the_source_distribution_runs(tmp_path: Path) -> None:
    def run(*command: str, cwd: Path = tmp_path, path: str = "") -> str:
        environment = os.environ | {"PYTHONPATH": path}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path), cwd=ROOT)
    (archive,) = tmp_path.glob("anshao-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    source = tmp_path / archive.name.removesuffix(".tar.gz")
    assert not (source / "service" / "static").exists()
    if (ROOT / "console" / "node_modules").is_dir():
        (source / "console" / "node_modules").symlink_to(ROOT / "console" / "node_modules")

    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(*pip, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", str(tmp_path), str(source))
    (wheel,) = tmp_path.glob("anshao-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "service/static/index.html" in names
    assert not any(name.startswith(("tests/", "console/", "scripts/")) for name in names)
    missing_from_wheel = {str(path.relative_to(ROOT)) for path in package_files()} - names
    assert not missing_from_wheel

    installed = tmp_path / "installed"
    run(*pip, "install", "--no-deps", "--target", str(installed), str(wheel))
    where = run(sys.executable, "-c", "import service; print(service.__file__)", path=str(installed))
    assert Path(where.strip()).is_relative_to(installed)
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert version in run(str(installed / "bin" / "anshao"), "version", path=str(installed))
