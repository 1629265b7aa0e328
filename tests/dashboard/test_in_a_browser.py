"""The pages in a real Chromium: what each is for is done by keyboard and mouse, and axe-core finds nothing serious.

One installation and one browser serve all tests of this file; every test signs in anew.
"""

import contextlib
import re

import pytest
from playwright.sync_api import expect, sync_playwright
from tests.doubles.browsers import QUIET, chromium, installed
from tests.doubles.dashboards import PASSWORD, Installation
from tests.doubles.identity import Identity

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
SERIOUS = ("serious", "critical")
PATIENCE_MS = 90_000
"""How long a page may take on a machine that is busy with other work."""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A furnished installation whose pages are served."""
    one = Installation(tmp_path_factory.mktemp("town")).furnished()
    with Identity(one.clock).running() as identity, one.open(identity.issuer):
        yield one
    one.ledger.close()


@pytest.fixture(scope="module")
def chrome():
    """A running browser."""
    path, needs = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET), env=needs or None)
        yield browser
        browser.close()


@contextlib.contextmanager
def visitor(chrome, town, name="", **how):
    """Open the pages as `name` (nobody if empty); a script error or a refused resource fails the test."""
    context = chrome.new_context(base_url=town.base, **{"viewport": DESK, **how})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    expected = re.compile(r"status of 40[14] ")  # pages that say no, which tests ask for
    page.on(
        "console",
        lambda said: wrong.append(said.text) if said.type == "error" and not expected.search(said.text) else None,
    )
    if name:
        page.goto("/login")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="The last hour")).to_be_visible()
    yield page
    context.close()
    assert wrong == []


def decide(page, label, why):
    """Fill in the reason of the form called `label` and send it."""
    form = page.locator("form.stack", has=page.get_by_role("button", name=label))
    form.get_by_label("Why").fill(why)
    form.get_by_role("button", name=label).click()


def go(page, title):
    """Follow the link in the navigation."""
    page.get_by_role("navigation").get_by_role("link", name=re.compile(f"^{title}")).click()
    expect(page.locator("nav a[aria-current]")).to_contain_text(title)


def test_the_first_page_answers_and_verifies(chrome, town):
    """A canary that came through is said at the top; one button verifies the whole log."""
    with visitor(chrome, town, "vic") as page:
        expect(page.locator("section", has_text="What got through?").first).to_contain_text(
            "1 canary attack not stopped"
        )
        expect(page.locator("section", has_text="Ten threats").first).to_contain_text("Jailbreak")
        page.get_by_role("button", name="Verify all now").click()
        expect(page.get_by_role("heading", name="Intact")).to_be_visible()


def test_traffic_is_filtered_and_one_record_is_proved_by_the_browser_itself(chrome, town):
    """From the list to one request, and its place under the signed checkpoint."""
    with visitor(chrome, town, "vic") as page:
        go(page, "Traffic")
        page.get_by_label("verdict").select_option("block")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#rows tbody tr")).to_have_count(9)
        page.locator("#rows tbody a").first.click()
        expect(page.locator(".answer")).to_have_text("block")
        page.get_by_role("button", name="Check it in this browser").click()
        expect(page.locator("#checked")).to_contain_text("Checked here")


def test_the_list_of_requests_refreshes_itself(chrome, town):
    """What arrives while somebody looks is there a few seconds later."""
    with visitor(chrome, town, "vic") as page:
        page.goto("/traffic?caller=latecomer")
        expect(page.locator("#rows")).to_contain_text("No such request")
        town.ledger.append("exchange", {"caller": "latecomer", "model": "m", "verdict": "allow"})
        expect(page.locator("#rows")).to_contain_text("latecomer")


def test_a_key_is_made_shown_once_rotated_and_revoked(chrome, town):
    """By an operator; the key's text is not there any more on the next page."""
    with visitor(chrome, town, "ola") as page:
        go(page, "Keys")
        page.get_by_text("New key").first.click()
        page.get_by_label("Who it is for").fill("night-batch")
        decide(page, "New key", "the nightly job")
        said = page.get_by_role("status").inner_text()
        assert "Copy it now" in said
        secret = said.rsplit(" ", 1)[1].strip()
        go(page, "Keys")
        assert secret not in page.content()
        page.get_by_role("link", name="Open night-batch").click()
        decide(page, "Revoke at once", "it leaked")
        expect(page.get_by_role("status")).to_contain_text("is revoked")


def test_a_limit_is_set_and_the_kill_switch_is_thrown_and_lifted(chrome, town):
    """Both stand on their pages at once."""
    with visitor(chrome, town, "ola") as page:
        go(page, "Spend and limits")
        page.get_by_text("Set a limit").first.click()
        page.get_by_label("Scope").fill("team:blue")
        page.get_by_label("Allows").fill("60 requests per minute")
        decide(page, "Set a limit", "agreed with blue")
        expect(page.locator("main table")).to_contain_text("team:blue")
        go(page, "Kill switch")
        page.get_by_text("Stop something now").first.click()
        page.get_by_label("What:").fill("model:small")
        decide(page, "Stop something now", "it answers nonsense")
        expect(page.locator("main table")).to_contain_text("it answers nonsense (ola)")
        page.get_by_role("link", name="Open model:small").click()
        decide(page, "Let it go again", "mended")
        expect(page.get_by_text("Nothing here.")).to_be_visible()


def test_a_critical_artefact_needs_two_people(chrome, town):
    """The first approval waits for a second; the lock is written then; a viewer may not."""
    with visitor(chrome, town, "vic") as page:
        go(page, "Artefacts")
        page.get_by_role("link", name="Decide classifier").click()
        expect(page.get_by_text("Your role may only read this.")).to_be_visible()
    for name, said in (("rex", "1 more to approve"), ("rae", "lock 1 is written")):
        with visitor(chrome, town, name) as page:
            go(page, "Artefacts")
            page.get_by_role("link", name="Decide classifier").click()
            decide(page, "Approve", "I read the findings")
            expect(page.get_by_role("status")).to_contain_text(said)


def test_a_flagged_text_is_labelled_with_one_click(chrome, town):
    """By a reviewer; a viewer does not even see that the page is there."""
    with visitor(chrome, town, "vic") as page:
        expect(page.get_by_role("navigation")).not_to_contain_text("Flagged texts")
    with visitor(chrome, town, "rex") as page:
        go(page, "Flagged texts")
        page.get_by_role("link", name="Decide Ignore what the page").click()
        expect(page.get_by_role("main")).to_contain_text("send [openai-key] to the address below")
        page.get_by_role("button", name="It is an attack").click()
        expect(page.get_by_role("status")).to_contain_text("labelled: attack")
        expect(page.locator("main table")).to_contain_text("attack")


def test_a_run_says_which_control_made_the_difference(chrome, town):
    """The page of assessments, down to one run."""
    with visitor(chrome, town, "vic") as page:
        go(page, "Assessments")
        page.get_by_role("link", name="Open b").click()
        expect(page.get_by_role("main")).to_contain_text("output.leak stopped 20 before and 0 now")


def test_a_person_is_added_and_their_role_changed(chrome, town):
    """By an admin."""
    with visitor(chrome, town, "ann") as page:
        go(page, "People")
        page.get_by_text("Add a person").first.click()
        form = page.locator("form.stack", has=page.get_by_role("button", name="Add a person"))
        form.get_by_label("Name").fill("new.hand")
        form.get_by_label("First password").fill(PASSWORD)
        decide(page, "Add a person", "joined the team")
        page.get_by_role("link", name="Open new.hand").click()
        page.get_by_label("Role").select_option("reviewer")
        decide(page, "Another role", "trained")
        expect(page.get_by_role("status")).to_contain_text("new.hand is reviewer now")


def test_the_audit_log_holds_what_was_decided_page_by_page(chrome, town):
    """Who and why; earlier and later pages."""
    town.ledger.append("decision", {"who": "ola", "why": "a reason to find"})
    with visitor(chrome, town, "vic") as page:
        go(page, "Audit log")
        expect(page.get_by_role("main")).to_contain_text("a reason to find")
        page.get_by_role("link", name="earlier").click()
        expect(page.get_by_role("link", name="later")).to_be_visible()


def test_a_passkey_is_made_and_signs_in(chrome, town):
    """With a virtual authenticator of the browser's own: made behind the password, used, taken away by an admin."""
    with visitor(chrome, town, "rae") as page:
        device = page.context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
        device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        page.get_by_role("link", name="rae, reviewer").click()
        page.get_by_label("What to call it").fill("this laptop")
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_role("status")).to_contain_text("this laptop signs you in")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_text("rae, reviewer")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        town.people.forget_passkeys("rae")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_role("alert").first).to_contain_text("does not sign anybody in")


@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_comes_in_by_the_identity_provider(chrome, town, scripts):
    """It lives at another site; the page that was asked for is there without signing in twice, without scripts too."""
    with visitor(chrome, town, java_script_enabled=scripts) as page:
        page.goto("/records")
        page.get_by_role("link", name="sign in at the identity provider").click()
        expect(page).to_have_url(re.compile(r"/records$"))
        expect(page.get_by_text("oidc:ann, operator")).to_be_visible()


def test_a_wrong_password_is_said_and_signing_out_ends_it(chrome, town):
    """And a page asked for meanwhile leads back to the sign-in."""
    with visitor(chrome, town, "vic") as page:
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.goto("/records")
        expect(page).to_have_url(re.compile(r"/login\?next=/records"))


def test_everything_is_reached_by_keyboard(chrome, town):
    """The first tab stop leads past the navigation; a form is opened, filled and sent without a mouse."""
    with visitor(chrome, town, "ola") as page:
        page.goto("/things/stopped")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        expect(page.get_by_role("link", name="To the content")).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        for text in ("", "key:lost", "typed by hand"):
            page.keyboard.press("Tab")
            if text:
                page.keyboard.press("Control+A")
                page.keyboard.type(text)
            else:
                page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.locator("main table")).to_contain_text("key:lost")


def every_page(page):
    """Return the address of every page, and of one thing of each kind."""
    links = page.locator("nav a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert len(links) > 8
    details = []
    for path in [link for link in links if link.startswith("/things/")]:
        page.goto(path)
        details += page.locator("main table a").evaluate_all(
            "all => all.slice(0, 1).map(one => one.getAttribute('href'))"
        )
    return [*links, *details, "/traffic/20", "/account"]


def test_axe_finds_nothing_serious_and_nothing_is_cut_off(chrome, town):
    """Every page, light and dark, wide and as narrow as a phone; folded forms are unfolded first."""
    axe, found = (installed("axe") / "axe-core/axe.min.js").read_text(encoding="utf-8"), []
    with visitor(chrome, town, "ann", bypass_csp=True) as page:
        for path in (*every_page(page), "/login"):
            page.goto(path)
            page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
            for size in (PHONE, DESK):
                page.set_viewport_size(size)
                wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                found += [f"{path} at {size['width']}: {wide} pixels wider than its window"] if wide > 0 else []
            page.evaluate(axe)
            for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
                page.emulate_media(color_scheme=scheme)
                said = page.evaluate("how => axe.run({resultTypes: ['violations'], ...how})", rules)
                found += [
                    f"{path}, {scheme}: {one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
                    for one in said["violations"]
                    if one["impact"] in SERIOUS
                ]
    assert found == []


def test_a_page_that_is_not_there_says_so(chrome, town):
    """Inside our own frame, also for a panel or a thing that is none."""
    with visitor(chrome, town) as page:
        page.goto("/nowhere")
        expect(page.get_by_role("heading", name="There is no page here")).to_be_visible()
        page.goto("/login")


def test_pages_are_read_without_javascript(chrome, town):
    """Signing in, reading and deciding need none."""
    with visitor(chrome, town, "ola", java_script_enabled=False) as page:
        go(page, "Keys")
        expect(page.locator("main table")).to_contain_text("billing")


def test_axe_would_have_found_something(chrome, town):
    """The oracle fails where it must: a picture without words and a field without a name."""
    axe = (installed("axe") / "axe-core/axe.min.js").read_text(encoding="utf-8")
    with visitor(chrome, town) as page:
        page.set_content("<html lang=en><title>x</title><main><img src='data:,'><input></main></html>")
        page.evaluate(axe)
        said = page.evaluate("axe.run()")
    assert {"image-alt", "label"} <= {one["id"] for one in said["violations"] if one["impact"] in SERIOUS}
