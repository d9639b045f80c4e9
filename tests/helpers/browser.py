"""JupyterLab and headless Chromium on loopback, driven over the DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
    " --disable-dev-shm-usage --remote-allow-origins=* --remote-debugging-port=0 --hide-scrollbars"
    " --window-size=1500,1000"
).split()


def chromium() -> str | None:
    """The program, None where there is none."""
    return next(
        filter(
            None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))
        ),
        None,
    )


def until(true, what: str, timeout_s: float = 60, every_s: float = 0.1):
    """Waits for a function to return something true, and returns that."""
    end = time.monotonic() + timeout_s
    while not (value := true()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not after {timeout_s:g} s")
        time.sleep(every_s)
    return value


@contextlib.contextmanager
def process(command, log: Path, **settings):
    """A program with its output in a file, ended with the block."""
    with log.open("wb") as out:
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **settings)
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait(10)


@contextlib.contextmanager
def jupyterlab(folder: Path, scratch: Path):
    """The address of a server on loopback, without token, with settings and files of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "HOME": scratch,
        "JUPYTER_CONFIG_DIR": scratch / "config",
        "JUPYTER_RUNTIME_DIR": scratch / "runtime",
        "JUPYTER_DATA_DIR": scratch / "data",
        "IPYTHONDIR": scratch / "ipython",
        "JUPYTERLAB_SETTINGS_DIR": scratch / "lab",
        "JUPYTERLAB_WORKSPACES_DIR": scratch / "spaces",
        "PYTHONPATH": Path(__file__).resolve().parents[2],
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.token=",
        "--ServerApp.password=",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.port_retries=0",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=",
        "--ServerApp.log_level=WARN",
    ]
    news = (
        scratch / "lab" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    )
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    address = f"http://127.0.0.1:{port}"

    def up() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/api/status", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    with process(
        command, scratch / "jupyter.log", env={**os.environ, **{k: str(v) for k, v in own.items()}}
    ):
        until(up, "JupyterLab answers")
        yield address


class Page:
    """A tab: JavaScript in, values out; `complaints` keeps those of the console."""

    def __init__(self, address: str) -> None:
        import websocket

        self._socket = websocket.create_connection(address, timeout=120)
        self._number, self.complaints = 0, []
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()

    def call(self, method: str, **parameters):
        """A command of the protocol and its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            self._heard(message)
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]

    def _heard(self, message) -> None:
        told = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.complaints.append(
                details.get("exception", {}).get("description") or details["text"]
            )
        elif message.get("method") == "Runtime.consoleAPICalled" and told["type"] in (
            "error",
            "assert",
        ):
            self.complaints.append(
                " ".join(str(a.get("value", a.get("description"))) for a in told["args"])
            )
        elif message.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def js(self, code: str):
        """The value of an expression; a promise is waited for."""
        found = self.call(
            "Runtime.evaluate",
            expression=code,
            awaitPromise=True,
            returnByValue=True,
            timeout=60000,
        )
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return found["result"].get("value")

    def key(self, name: str, text: str = "") -> None:
        """A key pressed and released on what has the focus."""
        code = {
            "ArrowRight": 39,
            "ArrowLeft": 37,
            "Home": 36,
            "End": 35,
            "Enter": 13,
            "Tab": 9,
            " ": 32,
        }.get(name, 0)
        given = {
            "key": name,
            "code": "Space" if name == " " else name,
            "windowsVirtualKeyCode": code,
        }
        self.call(
            "Input.dispatchKeyEvent", type="keyDown", **given, **({"text": text} if text else {})
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", **given)

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.call("Input.insertText", text=text)

    def shot(self, path: Path, selector: str = "") -> None:
        """A picture of the page, or of an element."""
        clip = {}
        if selector:
            box = self.js(
                "(()=>{const"
                f" r=document.querySelector({json.dumps(selector)}).getBoundingClientRect();return"
                " {x:r.x,y:r.y,width:r.width,height:r.height,scale:1}})()"
            )
            clip = {"clip": box, "captureBeyondViewport": True}
        path.write_bytes(
            base64.b64decode(self.call("Page.captureScreenshot", format="png", **clip)["data"])
        )


class Browser:
    """Chromium that runs."""

    def __init__(self, port: str) -> None:
        self._address = f"http://127.0.0.1:{port}/json"

    @contextlib.contextmanager
    def tab(self, address: str):
        """A page in a tab of its own, closed with the block."""
        made = self._asked("new?about:blank", "PUT")
        with contextlib.ExitStack() as ended:
            ended.callback(self._asked, f"close/{made['id']}")
            page = ended.enter_context(contextlib.closing(Page(made["webSocketDebuggerUrl"])))
            page.call("Page.navigate", url=address)
            yield page

    def _asked(self, what: str, method: str = "GET"):
        request = urllib.request.Request(f"{self._address}/{what}", method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.startswith("{") else text


@contextlib.contextmanager
def browser(scratch: Path):
    """Chromium with files of its own."""
    profile = scratch / "chromium"
    command = [str(chromium()), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with process(command, scratch / "chromium.log"):
        ready = profile / "DevToolsActivePort"
        until(lambda: ready.is_file() and ready.read_text().count("\n") >= 1, "Chromium answers")
        yield Browser(ready.read_text().splitlines()[0])


@contextlib.contextmanager
def in_jupyterlab(chrome: Browser, lab: str, notebook: str):
    """A page with a notebook, `window.book`, and its kernel ready.

    Args:
        chrome: Where.
        lab: JupyterLab's address.
        notebook: Its path below JupyterLab's folder.
    """
    book = (
        "window.book = [...(window.jupyterapp?.shell?.widgets('main') || [])].find(w =>"
        " w.content?.widgets?.length)"
    )
    idle = "window.book.sessionContext.session?.kernel?.status === 'idle'"
    workspace = Path(notebook).stem  # else it opens what was open before
    with chrome.tab(f"{lab}/lab/workspaces/{workspace}/tree/{notebook}") as page:
        until(lambda: page.js(f"!!({book})"), "the notebook")
        until(lambda: page.js(idle), "a kernel")
        yield page
