import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from onecycle_cli.data.files.download import Remote, download
from onecycle_cli.errors import DataError

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/endless":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path == "/cut" else CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "folder" / "file.bin"


def test_the_file_arrives_whole_and_progress_is_told(server, target):
    told = []
    assert download(Remote(f"{server}/file", SHA256), target, lambda *a: told.append(a)) == target
    assert target.read_bytes() == CONTENT
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert list(target.parent.iterdir()) == [target]


def test_an_unknown_length_is_told_as_none(server, target):
    told = []
    download(Remote(f"{server}/endless", SHA256), target, lambda *a: told.append(a))
    assert told[-1] == (len(CONTENT), None)


def test_a_file_that_is_there_is_never_fetched_or_changed(target):
    target.parent.mkdir(parents=True)
    target.write_text("the user's")
    download(Remote("http://127.0.0.1:1/gone", SHA256), target)
    assert target.read_text() == "the user's"


@pytest.mark.parametrize(
    ("page", "sha256", "why"),
    [
        ("file", "0" * 64, f"its SHA-256 must be {'0' * 64}, but {SHA256} arrived"),
        ("missing", SHA256, "HTTP Error 404: Not Found"),
        ("cut", SHA256, f"the connection ended after {len(CONTENT) // 2} of {len(CONTENT)} bytes"),
    ],
)
def test_a_failure_leaves_nothing_and_says_what_to_do(server, target, page, sha256, why):
    with pytest.raises(DataError) as error:
        download(Remote(f"{server}/{page}", sha256), target)
    assert str(error.value) == (
        f"{server}/{page} could not be downloaded ({why}); try again, or, without a network, set "
        "dataset.path to a copy of file.bin or ONECYCLE_DATA to the folder that holds it."
    )
    assert list(target.parent.iterdir()) == []


def test_a_server_that_is_gone_is_one_sentence(target):
    with pytest.raises(DataError, match=r"could not be downloaded \(.*refused.*\); try again"):
        download(Remote("http://127.0.0.1:1/file", SHA256), target)
    assert list(target.parent.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_sentence(server, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="could not be downloaded"):
        download(Remote(f"{server}/file", SHA256), tmp_path / "file" / "below")


def test_an_interrupt_leaves_nothing(server, target):
    def interrupt(received, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(Remote(f"{server}/file", SHA256), target, interrupt)
    assert list(target.parent.iterdir()) == []
