"""The runner of the guides, on pages made for it, and the directives of the real pages."""

import pytest

from tests.docs.pages import Page, parse
from tests.docs.runner import PAGES, check
from tests.docs.shell import comes_in_order, matches


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_program_is_run_or_saved_and_used_or_says_why_not(page: Page) -> None:
    assert page.mistakes == ()


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("<!-- print -->\n```text\n```", "p:1: there is no directive 'print'"),
        ("<!-- needs -->\n```sh\n```", "p:1: there is no directive 'needs'"),
        ("<!-- prints: it -->\n```text\n```", "p:1: there is no directive 'prints: it'"),
        ("<!-- background -->\n\n```sh\n```", "p:1: no block stands directly below"),
        ("```sh\n```\n<!-- background -->", "p:3: no block stands directly below"),
        ("```python\n```", "p:2: say `file: …`"),
        ("```\n```", "p:2: '' is no language"),
        ("    code", "p:2: '' is no language"),
        (
            "<!-- file: a.py -->\n```python\n```\n```sh\npython b.py\n```",
            "p:3: no other block uses a.py",
        ),
        ("<!-- prints -->\n```text\n```", "p:3: the block above it is no `sh` block"),
        (
            "<!-- prints in background -->\n```text\n```",
            "p:3: no block above it runs in background",
        ),
        ("<!-- background -->\n```text\n```", "p:3: only `sh` blocks"),
    ],
)
def test_a_mistake_in_a_directive_is_found(text: str, mistake: str) -> None:
    found = parse("p", text).mistakes
    assert [m.startswith(mistake) for m in found] == [True], found


def test_directives_are_read_with_their_values_and_lines() -> None:
    page = parse(
        "p",
        "# P\n<!-- own server -->\n\nOne.\n\n"
        "<!-- background -->\n<!-- needs: nginx php -->\n```sh\nnginx -p 127.0.0.1:8443\n```\n\n"
        "- In a list:\n\n  <!-- not run: it takes a day -->\n  ```sh\n  sleep 1d\n  ```\n",
    )
    assert page.owns_servers
    assert page.mistakes == ()
    assert page.ports == ["8443"]
    first, second = page.blocks
    assert (first.line, first.directives) == (9, {"background": "", "needs": "nginx php"})
    assert (second.line, second.text) == (16, "sleep 1d\n")
    assert second.directives == {"not run": "it takes a day"}


HONEST = """# A page
<!-- own server -->

<!-- file: said/one.txt -->
```text
one
```

```sh
hail() { echo "hail $1"; }
cat said/one.txt
```
<!-- prints -->
```text
one
```

```sh
hail "$(date +%s)"; echo 2; echo 3; false
```
<!-- prints -->
```text
hail …
…
3
```

<!-- background -->
```sh
hail hal; exec python -u -m http.server 8123 --bind 127.0.0.1
```
<!-- prints in background -->
```text
hail hal
Serving HTTP on 127.0.0.1 port 8123 …
```

```sh
curl -sS -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:8123/missing
```
<!-- prints -->
```text
404
```

<!-- needs: no-such-command -->
```sh
no-such-command
```
<!-- prints -->
```text
it works
```
"""


def test_a_page_that_tells_the_truth_passes() -> None:
    with pytest.raises(pytest.skip.Exception, match="line 48 needs no-such-command; all other"):
        check(parse("p", HONEST), None)


@pytest.mark.parametrize(
    ("true", "false", "told"),
    [
        ('one\n```\n\n```sh\nhail "', 'two\n```\n\n```sh\nhail "', "p:15: the page shows:\ntwo"),
        ("…\n3\n", "…\n4\n", "p:23: the page shows:\nhail …"),
        (
            "cat said/one.txt\n```\n<!-- prints",
            "cat two\n```\n<!-- background",
            "`cat two` ended with",
        ),
        ("false\n", "exit 3\n", "p:19: The block ended the shell. It printed:\nhail "),
        (
            "Serving HTTP",
            "Serving tea",
            "p:34: no background block came to print:\nhail hal\nServing tea",
        ),
        ("404\n", "…\n", "curl was answered 404, which is not shown"),
    ],
)
def test_a_page_that_lies_fails(
    true: str, false: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.runner.BACKGROUND_SECONDS", 1)
    assert HONEST.count(true) == 1
    with pytest.raises(pytest.fail.Exception) as failure:
        check(parse("p", HONEST.replace(true, false)), None)
    assert told in str(failure.value)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ('{"id":"…"}', '{"id":"7"}\n', True),
        ('{"id":"…"}', '{"no":"7"}\n', False),
        ("a\n…\nb", "a\nb\n", True),
        ("a\n…\nb", "a\n1\n2\nb\n", True),
        ("a\n…", "a\n", True),
        ("a…b", "a1\n2b\n", False),
        ("a", "a\nb\n", False),
        ("1.5 (x)", "1.5 (x)", True),
        ("1.5", "1x5", False),
    ],
)
def test_dots_stand_for_any_text_or_any_lines(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) is same


def test_lines_in_background_come_in_order() -> None:
    assert comes_in_order("a\n…\nc…", "0\na\nb\nc 1\n")
    assert not comes_in_order("c…\na", "0\na\nb\nc 1\n")
