"""Conversion of messages for strict services."""

from __future__ import annotations

from agent_framework import Content, Message
from hypothesis import given
from hypothesis import strategies as st

from agent_framework_chatkit.server.acceptable import acceptable, fit_together
from agent_framework_chatkit.server.history import History

from ...integration.providers.rules import check_strictest

TEXTS = st.sampled_from(["", " \n", "Hi", "x\ud83dy", "😀", "\ud83d", "Two words"])


IDS = st.sampled_from(["c1", "c2", "", "c 1", "é" * 50, "c" * 41, None])


NAMES = st.sampled_from(["f", "", "functions.f", "f g", "ü", "f" * 65])


ARGUMENTS = st.sampled_from(
    [
        '{"a": 1}',
        '{"a": "\\ud83d"}',
        '{"a": ',
        "",
        "{}",
        '{"a": NaN}',
        '{"a": [-1E400]}',
        f'{{"a": {"1" * 400}.0}}',
        {"a": float("inf")},
    ]
)


CONTENTS = st.one_of(
    TEXTS.map(Content.from_text),
    TEXTS.map(lambda text: Content.from_text_reasoning(text=text)),
    st.builds(
        lambda call_id, name, arguments: Content.from_function_call(
            call_id, name, arguments=arguments
        ),
        IDS,
        NAMES,
        ARGUMENTS,
    ),
    st.builds(lambda call_id, text: Content.from_function_result(call_id, result=text), IDS, TEXTS),
    st.builds(
        lambda call_id: Content.from_function_approval_request(
            "a", Content.from_function_call(call_id, "f", arguments="{}")
        ),
        IDS,
    ),
)


MESSAGES = st.lists(
    st.builds(
        Message,
        st.sampled_from(["user", "assistant", "tool", "system"]),
        st.lists(CONTENTS, max_size=3),
    ),
    max_size=12,
)


@given(MESSAGES)
def test_any_history_becomes_acceptable(messages: list[Message]) -> None:
    before = [message.to_dict() for message in messages]
    history = [Message("user", ["Begin."]), *messages]
    problems = check_strictest([*acceptable(history), Message("user", ["And now?"])])
    # The turn joins the new message to the user's last one, or adds it after an answer.
    assert not [each for each in problems if "user after user" not in each], problems
    assert [message.to_dict() for message in messages] == before


@given(MESSAGES)
def test_acceptable_is_idempotent(messages: list[Message]) -> None:
    once = acceptable([Message("user", ["Begin."]), *messages])
    twice = acceptable(once)
    assert [message.to_dict() for message in twice] == [message.to_dict() for message in once]


@given(MESSAGES, st.integers(0, 12))
def test_history_is_the_same_however_it_is_read(messages: list[Message], cut: int) -> None:
    messages = [Message("user", ["Begin."]), *messages]
    whole, parts = History(), History()
    whole.add(messages)
    parts.add(messages[:cut])
    parts.add(messages[cut:])
    assert [each.to_dict() for each in whole.messages()] == [
        each.to_dict() for each in parts.messages()
    ]


@given(MESSAGES, MESSAGES)
def test_history_and_input_fit_together(messages: list[Message], given: list[Message]) -> None:
    written = [each for each in given if each.role != "tool"]
    for each in written:
        each.contents = [content for content in each.contents if content.type == "text"]
    history = acceptable([Message("user", ["Begin."]), *messages])
    fitting, inputs = fit_together(history, [*written, Message("user", ["And now?"])])
    problems = check_strictest([*fitting, *inputs])
    assert not problems, problems


@given(st.lists(MESSAGES, max_size=5))
def test_history_of_any_turns_is_acceptable(turns: list[list[Message]]) -> None:
    history = History()
    history.add([Message("user", ["Begin."])])
    for messages in turns:
        history.add([*messages, Message("user", ["And now?"])])
    problems = check_strictest(history.messages())
    assert not problems, problems


def test_numbers_that_are_not_json_stay_readable() -> None:
    arguments = '{"a": 1e400, "b": -1e400, "c": NaN, "d": 1e3}'
    called = Content.from_function_call("c", "f", arguments=arguments)
    _, message, _ = acceptable([Message("user", ["Go."]), Message("assistant", [called])])
    assert message.contents[0].arguments == (
        '{"a": "Infinity", "b": "-Infinity", "c": "NaN", "d": 1000.0}'
    )


def test_nothing_useful_is_lost() -> None:
    call = Content.from_function_call("c1", "order", arguments='{"what": "tea"}')
    history = acceptable(
        [
            Message("system", ["Be kind."]),
            Message("user", ["Order tea."]),
            Message("assistant", [Content.from_text_reasoning(text="Tea."), "Sure.", call]),
            Message("tool", [Content.from_function_result("c1", result="ordered")]),
            Message("system", ["They like green tea."]),
            Message("user", ["And?"]),
        ]
    )
    assert [(message.role, message.text) for message in history] == [
        ("system", "Be kind."),
        ("user", "Order tea."),
        ("assistant", "Sure."),
        ("tool", ""),
        ("assistant", "(There was no answer.)"),
        ("user", "They like green tea.\n\nAnd?"),
    ]
    assert history[3].contents[0].result == "ordered"


def test_calls_with_same_id_keep_their_results() -> None:
    messages = []
    for number in (1, 2):
        messages += [
            Message("user", [f"{number}"]),
            Message("assistant", [Content.from_function_call("c", "f", arguments="{}")]),
            Message("tool", [Content.from_function_result("c", result=f"{number}")]),
            Message("assistant", [f"It is {number}."]),
        ]
    results = [
        content.result
        for message in acceptable(messages)
        for content in message.contents
        if content.type == "function_result"
    ]
    assert results == ["1", "2"]


def results_by_arguments(messages: list[Message]) -> dict[str, str]:
    contents = [content for message in acceptable(messages) for content in message.contents]
    results = {each.call_id: each.result for each in contents if each.type == "function_result"}
    return {
        str(each.arguments): results[each.call_id]
        for each in contents
        if each.type == "function_call"
    }


def calls(*numbers: int, call_id: str = "c") -> Message:
    return Message(
        "assistant",
        [
            Content.from_function_call(call_id, "f", arguments=f'{{"n": {each}}}')
            for each in numbers
        ],
    )


def results(*texts: str, call_id: str = "c") -> Message:
    return Message("tool", [Content.from_function_result(call_id, result=each) for each in texts])


def test_calls_with_same_id_in_one_message_keep_their_results() -> None:
    assert results_by_arguments([calls(1, 2, 3), results("one", "two"), results("three")]) == {
        '{"n": 1}': "one",
        '{"n": 2}': "two",
        '{"n": 3}': "three",
    }


def test_result_belongs_to_newest_call_before_it() -> None:
    messages = [calls(1), Message("user", ["Stop."]), calls(2), results("two", "two again")]
    assert results_by_arguments(messages) == {
        '{"n": 1}': "Error: This call was not started.",
        '{"n": 2}': "two",
    }


def test_result_before_its_call_is_not_its_result() -> None:
    messages = [results("early"), calls(1), results("other", call_id="d"), results("one")]
    assert results_by_arguments(messages) == {'{"n": 1}': "one"}


def test_new_ids_stay_the_same_as_history_grows() -> None:
    history = History()
    shown: list[list[str | None]] = []
    for number in range(4):
        history.add([Message("user", [f"{number}"]), calls(number), results("done")])
        history.add([Message("assistant", [" " if number == 2 else "Done."])])
        shown.append(ids_of(history.messages()))
    assert shown[-1][0] == "c"
    assert len(set(shown[-1])) == 4
    for number, ids in enumerate(shown):
        assert ids == shown[-1][: number + 1]


def test_input_does_not_repeat_ids_of_history() -> None:
    history = acceptable([Message("user", ["Go."]), calls(1), results("one")])
    added = [calls(2), results("two"), Message("user", ["And now?"])]
    fitting, inputs = fit_together(history, [Message("user", ["Hm."]), *added])
    assert check_strictest([*fitting, *inputs]) == []


def test_resumed_run_keeps_ids_of_its_service() -> None:
    name = "functions.f:0"
    history = History()
    history.add([Message("user", ["Go."]), calls(1, call_id=name), results("one", call_id=name)])
    history.add([calls(2, call_id=name)])
    assert ids_of(history.messages([name], is_resumed=True)) == [name, name]
    assert ids_of(history.messages([name])) == [name, name]
    history.add([results("two", call_id=name), Message("assistant", ["Done."])])
    assert name not in ids_of(history.messages())


def ids_of(messages: list[Message]) -> list[str | None]:
    contents = [content for message in messages for content in message.contents]
    return [each.call_id for each in contents if each.type == "function_call"]


def test_approval_is_omitted_once_call_has_result() -> None:
    first, second = (
        Content.from_function_call(each, "pay", arguments="{}") for each in ("c1", "c2")
    )
    requests = [
        Content.from_function_approval_request(f"request {each.call_id}", each)
        for each in (first, second)
    ]
    answers = [each.to_function_approval_response(approved=True) for each in requests]
    history = [
        Message("user", ["Pay twice."]),
        Message("assistant", [first, second, requests[0]]),
        Message("user", [answers[0]]),
        Message("assistant", [requests[1]]),
    ]
    waiting = acceptable(history, ["c1", "c2"], is_resumed=True)
    assert contents_of(waiting) == contents_of(history)
    paid = [
        *history,
        Message("user", [answers[1]]),
        Message(
            "tool", [Content.from_function_result(each, result="paid") for each in ("c1", "c2")]
        ),
    ]
    assert contents_of(acceptable(paid, is_resumed=True)) == [
        ("user", ["text"]),
        ("assistant", ["function_call", "function_call"]),
        ("tool", ["function_result", "function_result"]),
    ]


def contents_of(messages: list[Message]) -> list[tuple[str, list[str]]]:
    return [(each.role, [content.type for content in each.contents]) for each in messages]
