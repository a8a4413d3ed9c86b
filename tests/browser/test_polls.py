"""Polls: writing one in the console and in a chat group, voting by keyboard, live counts, hidden results, closing."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Locator, expect

from tests.api import (
    Api,
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    open_api,
    open_database,
)
from tests.browser.test_access import NARROWEST, check
from tests.browser.test_composer import console_of
from tests.browser.windows import OpenWindow, Window, screenshot, view_of


def polls_in(opened: Window, question: str) -> Locator:
    return opened.page.get_by_role("group", name=question, exact=True)


async def a_poll(owner: User, path: str, question: str, **poll: object) -> str:
    """Posts a poll with two answers to the channel; returns the path of the post."""
    body = {"question": question, "options": ["Tea", "Coffee"], **poll}
    posted = await owner.post(f"{path}/posts", {"kind": "poll", "poll": body})
    assert posted.status == 201, posted
    return f"{path}/posts/{posted.body['seq']}"


async def test_a_poll_is_written_in_the_console_and_answered_by_keyboard(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, others = (
        server.new_user("owner"),
        server.new_user("reader"),
        [server.new_user() for _ in range(2)],
    )
    path = await a_channel(owner, reader, *others)
    opened = await window(owner, console_of(path))
    page = opened.page
    await opened.by("button", "Poll", exact=True).click()
    await expect(page.get_by_label("Question")).to_be_focused()
    await opened.by("button", "Post", exact=True).click()
    await expect(page.get_by_text("Enter a question.")).to_be_visible()
    await page.get_by_label("Question").fill("When do we meet?")
    await page.get_by_label("Answer 1", exact=True).fill("Monday")
    await opened.by("button", "Post", exact=True).click()
    await expect(page.get_by_text("Enter at least two answers.")).to_be_visible()
    await expect(page.get_by_label("Answer 2", exact=True)).to_be_focused()
    await page.keyboard.type("Monday")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Answer 3", exact=True)).to_be_focused()
    await page.keyboard.type("Friday")
    await opened.by("button", "Post", exact=True).click()
    await expect(page.get_by_text("Two answers are the same.")).to_be_visible()
    await opened.by("button", "Remove answer 2").click()
    await expect(opened.by("button", "Remove answer 2")).to_be_hidden()
    preview = page.locator(".preview-stage")
    await expect(preview.get_by_role("radio", name="Friday")).to_be_disabled()
    await page.get_by_label("People can choose several answers").check()
    await expect(preview.get_by_role("checkbox", name="Friday")).to_be_visible()
    await page.get_by_label("Close at a set time").check()
    await page.get_by_label("Closing time").fill("2020-01-01T12:00")
    await opened.by("button", "Post", exact=True).click()
    await expect(page.get_by_text("Choose a time in the future.")).to_be_visible()
    # The preview leaves out a time that is past.
    await page.get_by_label("Question").fill("When do we meet next?")
    await expect(preview.get_by_role("group", name="When do we meet next?")).to_be_visible()
    await page.get_by_label("Question").fill("When do we meet?")
    later = datetime.now().astimezone() + timedelta(days=2)
    await page.get_by_label("Closing time").fill(later.strftime("%Y-%m-%dT%H:%M"))
    await check(opened, "the composer with a poll")
    await screenshot(page, "poll-composer")

    # It is kept, as a draft and then as a post.
    await opened.by("button", "Save draft").click()
    draft = page.locator(".draft-row")
    await expect(draft).to_contain_text("Poll: When do we meet?")
    await draft.get_by_role("button", name="Edit").click()
    await expect(page.get_by_label("Answer 2", exact=True)).to_have_value("Friday")
    await opened.by("button", "Post", exact=True).click()
    await expect(page.locator(".posted .poll-question")).to_have_text("When do we meet?")
    posted = (await owner.get(f"{path}/posts")).items[0]["poll"]
    assert [one["text"] for one in posted["options"]] == ["Monday", "Friday"]
    assert posted["multiple"] is True
    assert posted["closes_at"].startswith(later.astimezone(UTC).strftime("%Y-%m-%dT%H:%M"))

    readers = await window(reader, view_of(path))
    poll = polls_in(readers, "When do we meet?")
    await expect(readers.page.locator("a.row .preview")).to_have_text("Poll: When do we meet?")
    await expect(poll).to_contain_text("Choose one or more answers.")
    await expect(poll).to_contain_text("Nobody can see who voted for what.")
    await expect(poll.get_by_role("button", name="Vote", exact=True)).to_be_disabled()
    await poll.get_by_role("checkbox", name="Friday").focus()
    for key in ("Space", "Tab", "Enter"):
        await readers.page.keyboard.press(key)
    await expect(poll.get_by_role("button", name="Change vote")).to_be_focused()
    await expect(poll.get_by_role("status")).to_have_text("Your vote was counted.")
    await expect(poll.locator(".mine")).to_contain_text("Friday")
    await expect(poll.locator(".mine")).to_contain_text("1 vote, 100%")
    # Votes of others arrive by themselves, here and in the console.
    for user, chosen in zip(others, ([0], [0, 1]), strict=True):
        voted = await user.put(f"{path}/posts/1/vote", {"options": chosen})
        assert voted.status == 200, voted
    await expect(poll.locator(".mine")).to_contain_text("2 votes, 67%")
    await expect(poll).to_contain_text("3 people have voted.")
    await expect(page.locator(".posted .poll")).to_contain_text("3 people have voted.")
    await check(readers, "a poll with votes")
    await screenshot(readers.page, "poll-votes")
    await readers.page.set_viewport_size(NARROWEST)
    assert await readers.page.evaluate("document.documentElement.scrollWidth") <= 320
    await poll.get_by_role("button", name="Change vote").click()
    await poll.get_by_role("checkbox", name="Friday").uncheck()
    await poll.get_by_role("checkbox", name="Monday").check()
    await check(readers, "a vote that is changed")
    await poll.get_by_role("button", name="Vote", exact=True).click()
    await expect(poll.locator(".mine")).to_contain_text("Monday")
    await expect(poll.locator(".mine")).to_contain_text("3 votes, 100%")
    await poll.get_by_role("button", name="Take back vote").click()
    await expect(poll.locator(".mine")).to_have_count(0)
    await expect(poll.get_by_role("checkbox", name="Monday")).to_be_focused()

    # The owner ends it while the reader is choosing.
    await poll.get_by_role("checkbox", name="Monday").check()
    await page.locator("[data-seq='1']").get_by_role("button", name="Post options").click()
    await opened.by("menuitem", "Close poll").click()
    await opened.by("dialog", "Close poll").get_by_role("button", name="Close poll").click()
    await expect(poll).to_contain_text("The poll is closed.")
    await expect(poll.get_by_role("checkbox")).to_have_count(0)
    await expect(page.locator(".posted .poll")).to_contain_text("The poll is closed.")


async def test_hidden_results_are_explained_and_shown_in_time(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, stranger = (server.new_user(name) for name in ("owner", "reader", "eve"))
    path = await a_channel(owner, reader)
    post = await a_poll(owner, path, "Which one?", results="after_vote")
    await a_poll(owner, path, "Until when?", results="after_close")
    await owner.put(f"{post}/vote", {"options": [1]})
    readers = await window(reader, view_of(path))
    voting, waiting = polls_in(readers, "Which one?"), polls_in(readers, "Until when?")
    await expect(voting).to_contain_text("The results are shown after you vote.")
    await expect(voting.locator(".poll-bar:visible")).to_have_count(0)
    await voting.get_by_text("Tea").click()
    await voting.get_by_role("button", name="Vote", exact=True).click()
    await expect(voting.locator(".mine")).to_contain_text("1 vote, 50%")
    await waiting.get_by_text("Coffee").click()
    await waiting.get_by_role("button", name="Vote", exact=True).click()
    await expect(waiting).to_contain_text("The results are shown when the poll is closed.")
    await expect(waiting.get_by_role("img", name="Your vote")).to_be_visible()
    strangers = await window(stranger, view_of(path))
    unseen = polls_in(strangers, "Which one?")
    await expect(unseen).to_contain_text("The results are shown to those who vote.")
    await expect(unseen.get_by_role("radio")).to_have_count(0)
    closed = await owner.post(f"{path}/posts/2/poll/close")
    assert closed.status == 200, closed
    await expect(waiting.locator(".leading")).to_contain_text("Coffee")
    await expect(waiting.locator(".leading")).to_contain_text("1 vote, 100%")


async def test_a_poll_whose_time_has_come_shows_its_result_without_a_reload(
    mongod_uri: str, window: OpenWindow
) -> None:
    clock = MovedClock()
    async with open_database(mongod_uri) as database, open_api(database, clock=clock) as server:
        owner, reader = (server.new_user(name, hours=9) for name in ("owner", "reader"))
        path = await a_channel(owner, reader)
        closes_at = (clock.now() + timedelta(hours=1)).isoformat()
        asked = {"results": "after_close", "closes_at": closes_at}
        post = await a_poll(owner, path, "Until when?", **asked)
        await owner.put(f"{post}/vote", {"options": [1]})
        opened = await window(reader, view_of(path))
        poll = polls_in(opened, "Until when?")
        await expect(poll.get_by_role("radio")).to_have_count(2)
        # The server's clock alone, so the page's own timer does not load the poll again.
        clock.move(seconds=3_601)
        await expect(poll).to_contain_text("The poll is closed.")
        await expect(poll.locator(".leading")).to_contain_text("1 vote, 100%")


async def test_members_of_a_group_make_polls_and_see_who_voted(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await bob.patch("/v1/users/me", {"name": "Bob Yilmaz"})
    path = await a_chat_group(ada, bob)
    mine, bobs = await window(ada, view_of(path), size=NARROWEST), await window(bob, view_of(path))
    await mine.by("button", "Create a poll").click()
    dialog = mine.by("dialog", "New poll")
    await expect(dialog.get_by_label("Question")).to_be_focused()
    await dialog.get_by_label("Question").fill("Pizza?")
    await dialog.get_by_label("Answer 1", exact=True).fill("Yes")
    await check(mine, "a new poll in a group")
    await screenshot(mine.page, "poll-dialog")
    # What is unfinished waits.
    await mine.page.keyboard.press("Escape")
    await mine.by("button", "Create a poll").click()
    await expect(dialog.get_by_label("Answer 1", exact=True)).to_have_value("Yes")
    await dialog.get_by_label("Answer 2", exact=True).fill("No")
    await dialog.get_by_role("button", name="Send poll").click()
    poll = polls_in(bobs, "Pizza?")
    await expect(poll).to_contain_text("Members can see who voted for what.")
    await poll.get_by_text("Yes").click()
    await poll.get_by_role("button", name="Vote", exact=True).click()
    own = polls_in(mine, "Pizza?")
    await expect(own).to_contain_text("1 person has voted.")
    await own.get_by_role("button", name="View votes").click()
    await expect(mine.by("dialog", "Who voted for what")).to_contain_text("Bob Yilmaz")
    await check(mine, "who voted for what")
    await mine.page.keyboard.press("Escape")
    assert await mine.page.evaluate("document.documentElement.scrollWidth") <= 320
    await mine.page.locator(".own").get_by_role("button", name="Message options").click()
    await mine.by("menuitem", "Close poll").click()
    await mine.by("dialog", "Close poll").get_by_role("button", name="Close poll").click()
    await expect(poll).to_contain_text("The poll is closed.")
    await expect(poll.get_by_role("button", name="Change vote")).to_be_hidden()
