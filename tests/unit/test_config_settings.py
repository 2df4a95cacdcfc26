"""The main file: defaults, paths, secrets from the environment, and its faults."""

import hashlib
import logging
from pathlib import Path

import pytest
import yaml

from alerting.incidents.grading import load_grading
from service.config import ConfigurationError, Fault, check, format_faults, load
from service.config.settings import Settings

SITE = """\
regions: [{code: "370000", name: 山东省}]
enterprises:
  - {id: e, name: 企业, region: "370000"}
"""
SECRETS = {"ANSHAO_HISTORIAN_TOKEN": "history-secret"}


def main_file(folder: Path, text: str) -> Path:
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    path = folder / "anshao.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def settings(folder: Path, text: str = "", env: dict[str, str] | None = None) -> Settings:
    return load(main_file(folder, "sites: [site.yaml]\n" + text), SECRETS if env is None else env)


def faults_of(folder: Path, text: str, env: dict[str, str] | None = None) -> list[Fault]:
    return check([main_file(folder, text)], SECRETS if env is None else env)


def test_only_sites_is_required(tmp_path: Path) -> None:
    read = settings(tmp_path)
    assert read.file == tmp_path / "anshao.yaml"
    assert read.data_dir == tmp_path / "data"
    assert (read.broker.host, read.broker.port, read.broker.tls) == ("127.0.0.1", 1883, False)
    assert (read.broker.link, read.broker.client_id, read.broker.session_expiry) == ("mqtt5", "anshao", 86_400_000)
    assert (read.historian.kind, read.historian.write_api, read.historian.batch) == ("influxdb", "v2", 5000)
    assert read.historian.path == tmp_path / "data" / "history.duckdb"
    assert (read.spool.max_bytes, read.spool.warn_at, read.spool.segment_bytes) == (8 * 10**9, 0.5, 16 * 10**6)
    assert read.ledger.url.get_secret_value() == f"sqlite+aiosqlite:///{tmp_path}/data/ledger.sqlite"
    assert (read.console.host, read.console.port, read.console.proxies) == ("127.0.0.1", 8080, ())
    assert (read.lateness, read.future, read.clock_tolerance) == (600_000, 600_000, 5_000)
    assert (read.canary.period, read.canary.timeout) == (60_000, 90_000)
    assert (read.grading.parent.name, read.grading.name) == ("incidents", "grading.yaml")
    assert (read.log.level, read.log.format) == ("info", "json")
    assert (read.tokens, read.webhooks) == ((), ())
    assert list(read.site.enterprises) == ["e", "anshao"]


def test_what_the_file_says(tmp_path: Path) -> None:
    own = load_grading().model_dump(mode="json") | {"hold": 5}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    digest = hashlib.sha256(b"t").hexdigest()
    read = settings(
        tmp_path,
        f"""
data_dir: /var/lib/anshao
broker: {{url: "mqtts://broker.example", link: paho, username: anshao, password: pw-in-file, session_expiry: 7d}}
historian: {{kind: influxdb, write_api: v1, username: writer, password: pw-in-file, batch: 100}}
spool: {{max_bytes: 1GiB, warn_at: 0.8, segment_bytes: 1MB}}
ledger: {{url: "postgresql+asyncpg://anshao:pw-in-file@db/anshao"}}
console: {{host: 0.0.0.0, port: 0, proxies: [10.0.0.7, "FD00:0::7"]}}
tokens: [{{name: 值班席, sha256: "{digest.upper()}"}}]
webhooks: [{{name: county, url: "https://county.example/alarms", secret: whsec_in_file}}]
lateness: 5min
canary: {{period: 10s, timeout: 15s}}
grading: own.yaml
log: {{level: debug, format: console}}
""",
        {},
    )
    assert (read.broker.host, read.broker.port, read.broker.tls) == ("broker.example", 8883, True)
    assert read.console.proxies == ("10.0.0.7", "fd00::7")
    assert read.data_dir == Path("/var/lib/anshao")
    assert read.spool.max_bytes == 2**30
    assert read.ledger.url.get_secret_value() == "postgresql+asyncpg://anshao:pw-in-file@db/anshao"
    assert read.tokens[0].sha256 == digest
    assert read.webhooks[0].secret.get_secret_value() == "whsec_in_file"
    assert (read.grading, read.grading_table.hold) == (tmp_path / "own.yaml", 5)
    canary = read.site.tags[read.site.tag_index["anshao/canary-reading"]]
    assert canary.period == 10_000


def test_environment_overrides_secrets(tmp_path: Path) -> None:
    read = settings(
        tmp_path,
        "broker: {username: anshao, password: pw-in-file}\n"
        "historian: {token: pw-in-file, username: u}\n"
        'webhooks: [{name: county-duty, url: "http://127.0.0.1/", secret: whsec_in_file}]\n',
        {
            "ANSHAO_BROKER_PASSWORD": "broker-secret",
            "ANSHAO_HISTORIAN_TOKEN": "token-secret",
            "ANSHAO_HISTORIAN_PASSWORD": "password-secret",
            "ANSHAO_LEDGER_URL": "postgresql+asyncpg://anshao:ledger-secret@db:5432/anshao",
            "ANSHAO_WEBHOOK_COUNTY_DUTY_SECRET": "webhook-secret",
        },
    )
    assert read.broker.password is not None
    assert read.broker.password.get_secret_value() == "broker-secret"
    assert read.historian.token is not None
    assert read.historian.token.get_secret_value() == "token-secret"
    assert read.historian.password is not None
    assert read.historian.password.get_secret_value() == "password-secret"
    assert read.ledger.url.get_secret_value().endswith("ledger-secret@db:5432/anshao")
    assert read.webhooks[0].secret.get_secret_value() == "webhook-secret"
    shown = f"{read!r} {read} {read.broker} {read.historian!r} {read.webhooks}"
    assert "secret" not in shown.replace("SecretStr", "").replace("secret=", "")
    assert "in-file" not in shown


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    read = settings(tmp_path, "historian: {token: in-file}\n", {"ANSHAO_HISTORIAN_TOKEN": "", "ANSHAO_LEDGER_URL": ""})
    assert read.historian.token is not None
    assert read.historian.token.get_secret_value() == "in-file"


def test_stores_that_need_no_secret(tmp_path: Path) -> None:
    assert settings(tmp_path, "historian: {kind: duckdb}\n", {}).historian.token is None
    assert settings(tmp_path, 'historian: {token: ""}\n', {}).historian.token is not None
    assert settings(tmp_path, "historian: {write_api: v1}\n", {}).historian.password is None


def test_the_embedded_broker_speaks_mqtt_3(tmp_path: Path) -> None:
    read = settings(tmp_path, 'broker: {embedded: true, url: "mqtt://127.0.0.1:0"}\n')
    assert (read.broker.link, read.broker.port) == ("paho", 0)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite+aiosqlite:////var/ledger.sqlite", "sqlite+aiosqlite:////var/ledger.sqlite"),
        ("sqlite+aiosqlite:///a.sqlite?timeout=5", "sqlite+aiosqlite:///{data}/a.sqlite?timeout=5"),
        ("sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite:///:memory:"),
    ],
)
def test_place_of_the_sqlite_ledger(url: str, path: str, tmp_path: Path) -> None:
    read = settings(tmp_path, f'ledger: {{url: "{url}"}}\n')
    assert read.ledger.url.get_secret_value() == path.replace("{data}", str(read.data_dir))


FAULTS = {
    "no sites": ("data_dir: data # HERE\n", "sites", "`sites` is missing", "Add `sites"),
    "empty sites": ("sites: [] # HERE\n", "sites", "must not be empty", "at least one"),
    "missing site file": (
        "sites:\n  - site.yaml\n  - other.yaml # HERE\n",
        "sites[1]",
        "cannot read",
        "folder of the file",
    ),
    "site file twice": ("sites:\n  - site.yaml\n  - ./site.yaml # HERE\n", "sites[1]", "named twice", "Delete"),
    "unknown section": ("sites: [site.yaml]\nbrocker: {} # HERE\n", "brocker", "unknown key", "`broker`"),
    "unknown key": ("sites: [site.yaml]\nbroker: {uri: x} # HERE\n", "broker.uri", "unknown key", "`url`"),
    "empty section": ("sites: [site.yaml]\nbroker: # HERE\n", "broker", "must be a mapping", "key: value"),
    "broker's scheme": ("sites: [site.yaml]\nbroker: {url: 'tcp://h'} # HERE\n", "broker.url", "mqtt://", "mqtt://127"),
    "broker's port": (
        "sites: [site.yaml]\nbroker: {url: 'mqtt://h:x'} # HERE\n",
        "broker.url",
        "not a URL",
        "mqtt://127",
    ),
    "broker's port 0": ("sites: [site.yaml]\nbroker: {url: 'mqtt://h:0'} # HERE\n", "broker.url", "port 0", "port"),
    "broker's path": (
        "sites: [site.yaml]\nbroker: {url: 'mqtt://h/x'} # HERE\n",
        "broker.url",
        "no path",
        "mqtt://127",
    ),
    "password within a URL": (
        "sites: [site.yaml]\nbroker: {url: 'mqtt://u:hunter2@h'} # HERE\n",
        "broker.url",
        "a user name or a password",
        "keys of their own",
    ),
    "unknown link": ("sites: [site.yaml]\nbroker: {link: gmqtt} # HERE\n", "broker.link", "must be one of", "'paho'"),
    "mqtt5 to the embedded broker": (
        "sites: [site.yaml]\nbroker: {embedded: true, link: mqtt5} # HERE\n",
        "broker.link",
        "cannot be reached by mqtt5",
        "paho",
    ),
    "broker's password": (
        "sites: [site.yaml]\nbroker: {username: anshao} # HERE\n",
        "broker.password",
        "without a password",
        "ANSHAO_BROKER_PASSWORD",
    ),
    "historian's password": (
        "sites: [site.yaml]\nhistorian: {write_api: v1, username: anshao} # HERE\n",
        "historian.password",
        "without a password",
        "ANSHAO_HISTORIAN_PASSWORD",
    ),
    "secret as number": (
        "sites: [site.yaml]\nbroker: {username: a, password: 8472915} # HERE\n",
        "broker.password",
        "must be text",
        "quotes",
    ),
    "size without unit": (
        "sites: [site.yaml]\nspool: {max_bytes: 8 x} # HERE\n",
        "spool.max_bytes",
        "unit of size",
        "8GB",
    ),
    "size as text": ("sites: [site.yaml]\nspool: {max_bytes: big} # HERE\n", "spool.max_bytes", "not a size", "8GB"),
    "size of nothing": (
        "sites: [site.yaml]\nspool: {max_bytes: 0} # HERE\n",
        "spool.max_bytes",
        "more than zero",
        "8GB",
    ),
    "segment beyond the spool": (
        "sites: [site.yaml]\nspool: {max_bytes: 1MB} # HERE\n",
        "spool.segment_bytes",
        "larger than the whole",
        "small part",
    ),
    "ledger's scheme": (
        "sites: [site.yaml]\nledger: {url: 'mysql://h'} # HERE\n",
        "ledger.url",
        "must begin",
        "postgresql",
    ),
    "ledger without a file": (
        "sites: [site.yaml]\nledger: {url: 'sqlite+aiosqlite://x'} # HERE\n",
        "ledger.url",
        "no file",
        "ledger.sqlite",
    ),
    "ledger without a database": (
        "sites: [site.yaml]\nledger: {url: 'postgresql+asyncpg://u:hunter2@h'} # HERE\n",
        "ledger.url",
        "no database",
        "postgresql",
    ),
    "port": ("sites: [site.yaml]\nconsole: {port: 65536} # HERE\n", "console.port", "less than or equal", "bound"),
    "proxy by name": (
        "sites: [site.yaml]\nconsole: {proxies: [localhost]} # HERE\n",
        "console.proxies[0]",
        "not an IP address",
        "127.0.0.1",
    ),
    "token not hashed": (
        "sites: [site.yaml]\ntokens: [{name: a, sha256: hunter2}] # HERE\n",
        "tokens[0].sha256",
        "not a SHA-256 digest",
        "sha256sum",
    ),
    "webhook without secret": (
        "sites: [site.yaml]\nwebhooks: [{name: a, url: 'http://h'}] # HERE\n",
        "webhooks[0].secret",
        "missing",
        "ANSHAO_WEBHOOK_",
    ),
    "two webhooks with one variable": (
        """
sites: [site.yaml]
webhooks:
  - {name: a-b, url: 'http://h', secret: whsec_11}
  - {name: A_b, url: 'http://h', secret: whsec_11} # HERE
""",
        "webhooks[1].name",
        "same name as webhooks[0]",
        "ANSHAO_WEBHOOK_A_B_SECRET",
    ),
    "canary's timeout": (
        "sites: [site.yaml]\ncanary: {timeout: 60s} # HERE\n",
        "canary.timeout",
        "not longer than its period",
        "longer",
    ),
    "missing grading": ("sites: [site.yaml]\ngrading: g.yaml # HERE\n", "grading", "cannot read", "Correct the path"),
    "unknown log level": ("sites: [site.yaml]\nlog: {level: loud} # HERE\n", "log.level", "must be one of", "'info'"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_fault_of_the_main_file(case: str, tmp_path: Path) -> None:
    text, field, message, remedy = FAULTS[case]
    found = faults_of(tmp_path, text)
    assert len(found) == 1, format_faults(found)
    fault = found[0]
    line = next(number for number, line in enumerate(text.splitlines(), start=1) if "# HERE" in line)
    assert (fault.line, fault.field) == (line, field)
    assert message in fault.message
    assert remedy in fault.remedy
    assert "hunter2" not in str(fault)
    assert "8472915" not in str(fault)


def test_token_of_the_historian_is_needed(tmp_path: Path) -> None:
    found = faults_of(tmp_path, "sites: [site.yaml]\n", {})
    assert [(fault.field, fault.message) for fault in found] == [("historian.token", "the v2 write API needs a token")]
    assert "ANSHAO_HISTORIAN_TOKEN" in found[0].remedy


def test_doubled_tokens(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"t").hexdigest()
    text = f"sites: [site.yaml]\ntokens: [{{name: a, sha256: {digest}}},\n {{name: a, sha256: {digest}}}]\n"
    found = faults_of(tmp_path, text)
    assert [(fault.line, fault.field) for fault in found] == [(3, "tokens[1].name"), (3, "tokens[1].sha256")]


def test_fault_of_a_variable_names_it_and_not_its_value(tmp_path: Path) -> None:
    env = SECRETS | {"ANSHAO_LEDGER_URL": "oracle://scott:tiger@db/x"}
    found = faults_of(tmp_path, "sites: [site.yaml]\n", env)
    assert [(fault.line, fault.field) for fault in found] == [(0, "ANSHAO_LEDGER_URL")]
    assert "tiger" not in format_faults(found)


def test_faults_of_included_files_stand_beside_those_of_the_main_file(tmp_path: Path) -> None:
    path = main_file(tmp_path, "sites: [site.yaml]\nlateness: soon\n")
    (tmp_path / "site.yaml").write_text(SITE.replace("name: 企业", "nane: 企业"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="3 faults in 2 files") as raised:
        load(path, SECRETS)
    assert [(Path(fault.file).name, fault.line) for fault in raised.value.faults] == [
        ("anshao.yaml", 2),
        ("site.yaml", 3),
        ("site.yaml", 3),
    ]


def test_an_included_site_file_is_checked_once(tmp_path: Path) -> None:
    path = main_file(tmp_path, "sites: [site.yaml]\n")
    (tmp_path / "site.yaml").write_text("regions: 5\n", encoding="utf-8")
    alone = check([path], SECRETS)
    assert check([path, tmp_path / "site.yaml", path], SECRETS) == alone


def test_a_site_file_is_no_main_file(tmp_path: Path) -> None:
    main_file(tmp_path, "")
    with pytest.raises(ConfigurationError, match="a site file, where a main file is wanted"):
        load(tmp_path / "site.yaml", SECRETS)
    (tmp_path / "list.yaml").write_text("- 1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="must be a mapping"):
        load(tmp_path / "list.yaml", SECRETS)
    with pytest.raises(ConfigurationError, match="cannot read"):
        load(tmp_path / "absent.yaml", SECRETS)


def test_nothing_secret_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("settings %s", settings(tmp_path))
    assert "history-secret" not in caplog.text


def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    for text in (
        "ledger: 'postgresql://u:hunter2@h/d'",
        "broker: hunter2",
        "broker: [hunter2]",
        "broker: {pasword: hunter2}",
        "broker: {username: a, password: [hunter2]}",
        "tokens: [hunter2]",
        "historian: {username: a, password: {value: hunter2}}",
        "historian: {token: *hunter2}",
        "historian: {token: !hunter2 x}",
        "webhooks: [{name: a, url: 'hunter2', secret: whsec_hunter2}]",
    ):
        found = faults_of(tmp_path, f"sites: [site.yaml]\n{text}\n")
        assert found
        assert "hunter2" not in format_faults(found)


def test_paths_with_invisible_characters(tmp_path: Path) -> None:
    text = 'sites: [site.yaml, "a\\0b"]\ndata_dir: "a\\0b"\ngrading: "a\\0b"\n'
    assert [fault.field for fault in faults_of(tmp_path, text)] == ["sites[1]", "data_dir", "grading"]
