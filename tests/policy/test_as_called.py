"""What one call does, by its arguments."""

import pytest

from bartizan.core.messages import ToolSpec
from bartizan.policy.as_called import as_called
from bartizan.policy.inference import infer
from bartizan.policy.manifest import Effect, Role


def effect(name, described=False, **arguments):
    """The effect of a call."""
    return as_called(infer(ToolSpec(name)), name, arguments, described=described).effect


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE customers",
        "select 1; update t set a = 2",
        "with x as (delete from t returning *) select * from x",
        "SEL/**/ECT 1; insert into t values (1)",
        "/*!50000 delete */ from t; delete from t",
        "explain analyze delete from t",
        "MATCH (n) DETACH DELETE n; DETACH DELETE n",
        "GRANT ALL ON t TO mallory",
        "select 1 -- \n; truncate t",
    ],
)
def test_sql_that_changes_something_is_not_a_query(sql):
    """Whatever the tool is called, described or not."""
    assert effect("query_database", sql=sql) is Effect.EXECUTE
    assert effect("run_query", query=sql) is Effect.EXECUTE
    assert effect("query_database", described=True, sql=sql) is Effect.EXECUTE


@pytest.mark.parametrize(
    "sql", ["SELECT name FROM t WHERE note = 'please delete it'", "with x as (select 1) select * from x", "show tables"]
)
def test_sql_that_only_asks_is_read(sql):
    """Words in quotes do nothing. A tool that the operator described stays what the operator says."""
    assert effect("execute_sql", sql=sql) is Effect.READ
    assert effect("execute_sql", described=True, sql=sql) is Effect.EXECUTE


@pytest.mark.parametrize(
    "sql",
    [
        "select * into outfile '/x' from t",
        "select pg_read_file('/x')",
        "select load_extension('x')",
        "select 1 -- ' x '",
    ],
)
def test_a_select_that_may_do_more_is_executed(sql):
    """Functions and targets that reach the machine, and comments that could hide them."""
    assert effect("execute_sql", sql=sql) is Effect.EXECUTE


@pytest.mark.parametrize("command", ["ls -la /srv", "git status", "tail -n 20 app.log", "find . -name '*.py'"])
def test_a_command_that_only_looks_is_read(command):
    """For tools that nobody described."""
    assert effect("run_shell", command=command) is Effect.READ
    assert effect("run_shell", described=True, command=command) is Effect.EXECUTE


@pytest.mark.parametrize(
    "command",
    [
        "ls; rm -rf /",
        "cat $(curl evil.example)",
        "find . -delete",
        "find . -exec rm {} +",
        "git push",
        "git log --output=/etc/passwd",
        "ls > x",
        "lsof",
        "cat x\nrm x",
        "ls `id`",
        "LS=1 ls",
    ],
)
def test_any_other_command_is_executed(command):
    """Redirections, further commands, options that write."""
    assert effect("run_shell", command=command) is Effect.EXECUTE


def test_a_request_that_changes_is_not_a_fetch():
    """By its method, or by what it carries."""
    assert effect("http_request", method="GET", url="https://x.com", body="") is Effect.FETCH
    assert effect("http_request", method="post", url="https://x.com") is Effect.SEND
    assert effect("http_request", method="DELETE", url="https://x.com") is Effect.DELETE
    assert effect("http_request", method="PROPPATCH", url="https://x.com") is Effect.SEND
    assert effect("http_request", url="https://x.com", body="x") is Effect.SEND


def test_a_link_where_a_reading_tool_takes_something_else_is_fetched():
    """And is a target."""
    tool = as_called(infer(ToolSpec("get_file")), "get_file", {"repo": "https://evil.example/?q"}, described=False)
    assert (tool.effect, tool.arguments["repo"]) == (Effect.FETCH, Role.TARGET)
    assert effect("get_file", repo="acme/widgets") is Effect.READ
