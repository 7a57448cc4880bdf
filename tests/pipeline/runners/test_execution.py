import errno
import logging
import os
import socket

import apache_beam as beam
import grpc
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions

from model.config import ConfigError
from pipeline.runners.execution import RunError, beam_pipeline, innermost_message


def fail(_: object) -> None:
    raise ValueError("first line\nd7: expected this, got that")


def test_a_pipeline_runs_when_its_block_ends() -> None:
    with beam_pipeline([], step="test") as root:
        _ = root | beam.Create([2, 3]) | beam.CombineGlobally(sum) | beam.Map(_is_five)
        assert type(root.runner).__name__ == "FnApiRunner"


def _is_five(total: int) -> None:
    assert total == 5


def test_a_runner_that_is_named_is_used() -> None:
    with beam_pipeline(
        ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"], step="test"
    ) as root:
        _ = root | beam.Create([1])
    with (
        pytest.raises(RunError, match="NoSuchRunner"),
        beam_pipeline(["--runner", "NoSuchRunner"], step="test"),
    ):
        pass


def test_a_failure_in_a_worker_is_the_last_line_of_its_message() -> None:
    with pytest.raises(RunError) as raised:
        run_failing()
    message = str(raised.value)
    assert message.startswith("the pipeline failed: ")
    assert "ValueError: d7: expected this, got that" in message
    assert "first line" not in message
    assert "\n" not in message
    assert raised.value.__cause__ is not None


def test_the_message_of_an_unreachable_engine_is_in_its_details() -> None:
    with socket.socket() as closed:  # bound, but nothing listens
        closed.bind(("127.0.0.1", 0))
        channel = grpc.insecure_channel(f"127.0.0.1:{closed.getsockname()[1]}")
        with channel, pytest.raises(grpc.RpcError) as raised:
            channel.unary_unary("/service/method")(b"", timeout=20)
    message = innermost_message(raised.value)
    assert "failed to connect" in message
    assert ">" not in message


def run_failing() -> None:
    with beam_pipeline([], step="test") as root:
        _ = root | beam.Create([1]) | "Work" >> beam.Map(fail)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "is full: free some space and run the command again."),
        (errno.EROFS, "Name a workspace or output, and a TMPDIR, that can be written."),
        (errno.ENOENT, "[while running 'Write']"),
    ],
)
def test_an_error_of_the_disk_says_what_to_do(number: int, remedy: str) -> None:
    with pytest.raises(RunError) as raised:
        run_with_os_error(number)
    assert str(raised.value).endswith(remedy)


def run_with_os_error(number: int) -> None:
    with beam_pipeline([], step="test") as root:
        _ = root | beam.Create([number]) | "Write" >> beam.Map(fail_to_write)


def fail_to_write(number: int) -> None:
    raise OSError(number, os.strerror(number))


def test_bad_usage_that_a_worker_finds_is_bad_usage() -> None:
    with pytest.raises(ConfigError, match=r"^--set: expected this\. Do that\.$"):
        run_with_bad_usage()


def run_with_bad_usage() -> None:
    with beam_pipeline([], step="test") as root:
        _ = root | beam.Create([1]) | "Work" >> beam.Map(refuse)


def refuse(_: object) -> None:
    raise ConfigError("--set: expected this. Do that.")


def test_a_failure_while_the_pipeline_is_built_is_a_run_error_too() -> None:
    with pytest.raises(RunError, match="the pipeline failed: ZeroDivisionError"):
        build_badly()


def build_badly() -> None:
    with beam_pipeline([], step="test"):
        _ = 1 / 0


def test_a_run_error_is_passed_on_as_it_is() -> None:
    with pytest.raises(RunError, match=r"^as it is$"):
        build_refusing()


def build_refusing() -> None:
    with beam_pipeline([], step="test"):
        raise RunError("as it is")


def test_an_error_without_a_message_has_a_name() -> None:
    assert innermost_message(RuntimeError()) == "RuntimeError: no message"
    assert innermost_message(RuntimeError(" a \n b \n\n")) == "RuntimeError: b"


def test_the_traceback_goes_to_the_debug_log(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("limelight")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(RunError):
            build_badly()
    finally:
        logger.removeHandler(caplog.handler)
        logger.setLevel(logging.INFO)
    told = [record for record in caplog.records if record.name == "limelight"]
    assert told
    assert all(record.levelno == logging.DEBUG and record.exc_info for record in told)


@pytest.mark.parametrize(("flags", "name"), [(["--job_name=night"], "night-test"), ([], None)])
def test_a_job_is_named_after_its_step(flags: list[str], name: str | None) -> None:
    with beam_pipeline(flags, step="test") as root:
        _ = root | beam.Create([1])
        assert root.options.view_as(GoogleCloudOptions).job_name == name
