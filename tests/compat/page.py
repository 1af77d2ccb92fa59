"""Tests the page of a room in a real browser, over WebDriver: page.py CHROMEDRIVER ORIGIN PASSWORD"""

import json
import random
import subprocess
import sys
import time
import urllib.parse
import urllib.request

DRIVER, ORIGIN, PASSWORD = sys.argv[1:4]
EVIL = "<img src=x onerror=\"document.title='forged'\"><b>bold</b>\n</li>"
PATIENCE_S = 30


def until(what, look):
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"timed out waiting until {what}")


def http(method, url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
        return json.loads(response.read())


def stored_messages():
    return http("GET", f"{ORIGIN}/messages", headers={"X-Room-Password": PASSWORD})["messages"]


class Browser:
    def __init__(self, driver, storage=True):
        self.base = f"http://127.0.0.1:{driver}"
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        # Without cookies, a page that uses localStorage or sessionStorage gets a SecurityError.
        prefs = {} if storage else {"profile.default_content_setting_values.cookies": 2}
        wish = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": flags, "prefs": prefs}}}}
        self.base += f"/session/{http('POST', f'{self.base}/session', wish)['value']['sessionId']}"

    def open(self, path):
        http("POST", f"{self.base}/url", {"url": ORIGIN + path})

    def run(self, script, *arguments):
        return http("POST", f"{self.base}/execute/sync", {"script": script, "args": list(arguments)})["value"]

    def put(self, name, text):
        self.run("document.getElementById(arguments[0]).value = arguments[1]", name, text)

    def submit(self, name):
        self.run("document.getElementById(arguments[0]).requestSubmit()", name)

    def lines(self):
        """The messages as [name, text]."""
        return self.run("return [...document.querySelectorAll('.messages article')].map(a => [a.querySelector('h2').textContent, a.querySelector('.text').textContent])")

    def say(self, text):
        self.run("const field = document.querySelector('.composer textarea'); field.value = arguments[0]; field.dispatchEvent(new Event('input'));", text)
        self.run("document.querySelector('.composer').requestSubmit()")

    def is_live(self):
        return self.run("return document.querySelector('.state-good') !== null")

    def quit(self):
        http("DELETE", self.base)


def check(browser):
    browser.open(f"/?password={urllib.parse.quote(PASSWORD)}")
    until("the form is shown", lambda: browser.run("return document.getElementById('gate') !== null"))
    assert browser.run("return location.search + location.hash") == "", "the password is still in the address bar"
    assert PASSWORD not in browser.run("return document.documentElement.outerHTML.replace(/<input[^>]*>/g, '')")
    browser.put("name", "Ann <i>")
    browser.submit("gate")
    until("the room is open", browser.is_live)
    browser.say(EVIL.replace("\n", " "))
    until("the message is stored", lambda: [(m["agent"], m["text"]) for m in stored_messages()] == [("Ann <i>", EVIL.replace("\n", " "))])
    http("POST", f"{ORIGIN}/messages", {"agent": EVIL[:60], "text": EVIL}, {"X-Room-Password": PASSWORD})
    lines = until("both are shown", lambda: len(found := browser.lines()) == 2 and found)
    assert lines == [["You", EVIL.replace("\n", " ")], [EVIL[:60], EVIL]], lines
    assert "forged" not in browser.run("return document.title")
    assert browser.run("return document.querySelectorAll('.messages img, .messages i, .text b').length") == 0
    # A reload joins at once. The same text sent twice is shown twice.
    browser.open("/")
    until("the room is open again", lambda: len(browser.lines()) == 2)
    for _ in range(2):
        http("POST", f"{ORIGIN}/messages", {"agent": "bob", "text": "twice"}, {"X-Room-Password": PASSWORD})
    until("both are shown", lambda: browser.lines()[2:] == [["bob", "twice"], ["bob", "twice"]])
    hidden = "a\u200bb\U000e0041 \u2764\ufe0f\u200d\U0001f525"
    http("POST", f"{ORIGIN}/messages", {"agent": "bob", "text": hidden}, {"X-Room-Password": PASSWORD})
    seen = "a\\u{200b}b\\u{e0041} \u2764\ufe0f\u200d\U0001f525"
    until("what is invisible is shown", lambda: browser.lines()[4:] == [["bob", seen]])
    errors = browser.run("return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(arguments[0]))", ORIGIN)
    assert errors == [], f"it loads from other hosts: {errors}"
    browser.run("sessionStorage.clear()")
    browser.open("/?password=wrong")
    until("the error is shown", lambda: browser.run("return document.getElementById('why')?.textContent") == "Wrong password.")


def check_without_storage(browser):
    browser.open(f"/?password={urllib.parse.quote(PASSWORD)}")
    blocked = "try { localStorage; return false; } catch (error) { return error.name; }"
    assert browser.run(blocked) == "SecurityError"
    until("the form is shown", lambda: browser.run("return document.getElementById('gate') !== null"))
    browser.put("name", "cy")
    browser.submit("gate")
    until("the room is open", browser.is_live)
    assert browser.run("return document.querySelector('.bar-me b').textContent") == "cy"
    browser.say("without storage")
    until("the message is shown", lambda: browser.lines()[-1:] == [["You", "without storage"]])


def start():
    """Starts the driver on a random free port: ephemeral ports may all be in use on a busy machine."""
    for _ in range(100):
        port = random.randrange(12000, 32000)
        driver = subprocess.Popen([DRIVER, f"--port={port}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if any("started successfully" in line for line in driver.stdout):
            return driver, port
        driver.wait()
    raise AssertionError("no free port for the driver")


def main():
    driver, port = start()
    try:
        for storage, run in [(True, check), (False, check_without_storage)]:
            browser = Browser(port, storage)
            try:
                run(browser)
            finally:
                browser.quit()
    finally:
        driver.kill()
        driver.wait()


main()
