"""A platform with LTI 1.3, made for the tests, on loopback: tokens for signed assertions, line
items, scores, members.

It is strict where Moodle is: content types, and a newer time than that of the mark it holds.
"""

import asyncio
import json
import re
import secrets
import threading
import time
from datetime import datetime

import jwt
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NAMES = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
ALLOWED = {f"{AGS}lineitem", f"{AGS}score", NAMES}
JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00\Z")


class Platform:
    """`items`, `scores` ({item: {user: score}}), `posts` (how many came), `trouble` ({"token",
    "items", "scores" or "members": what goes wrong}), `public` (the tool's key as PEM).
    """

    client_id = "tool-7"

    def __init__(self):
        self.public, self.items, self.scores, self.posts = None, [], {}, 0
        self.members, self.trouble, self.tokens, self.used = [], {}, {}, set()
        self.lasts = 3600  # seconds of a token
        ready = threading.Event()
        self.thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)

    def _serve(self, ready):
        asyncio.run(self._run(ready))

    async def _run(self, ready):
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        sockets = bind_sockets(0, "127.0.0.1")
        self.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        # Capitals in an address, as real ones have.
        rows = [
            ("/token", Token),
            ("/Course/2/lineitems", Items),
            (r"/Course/2/lineitems/(\d+)/lineitem/scores", Scores),
            ("/Course/2/Members", Members),
        ]
        server = HTTPServer(Application([(path, kind, {"of": self}) for path, kind in rows]))
        server.add_sockets(sockets)
        ready.set()
        await self.over.wait()
        server.stop()

    def close(self):
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(10)

    def settings(self):
        """What course.toml says of it."""
        return (
            f'\n[lti]\ntoken = "{self.url}/token"\nclient_id = "{self.client_id}"\n'
            f'lineitems = "{self.url}/Course/2/lineitems?type_id=1"\n'
            f'members = "{self.url}/Course/2/Members"\n'
        )


class Handler(RequestHandler):
    part, scope = "", ""

    def initialize(self, of):
        self.of = of

    async def prepare(self):
        wrong = self.of.trouble.get(self.part)
        wrong = wrong.pop(0) if isinstance(wrong, list) and wrong else wrong
        if wrong == "slow":
            await asyncio.sleep(0.6)
        elif wrong == "page":
            self.finish("<html>Please log in</html>")
        elif wrong:
            raise HTTPError(wrong)
        if self.scope:
            kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
            scopes, ends = self.of.tokens.get(token, (set(), 0))
            if kind != "Bearer" or ends < time.time():
                raise HTTPError(401)
            if self.scope not in scopes:
                raise HTTPError(403)

    def expect(self, holds, status=400):
        if not holds:
            raise HTTPError(status)

    def is_sent_as(self, kind):
        self.expect(self.request.headers.get("Content-Type") == kind, 415)
        return json.loads(self.request.body)

    def answer(self, what, kind, status=200):
        self.set_status(status)
        self.set_header("Content-Type", kind)
        self.finish(json.dumps(what))

    def log_exception(self, *_):
        pass


class Token(Handler):
    part = "token"

    def post(self):
        said = {name: self.get_body_argument(name) for name in self.request.body_arguments}
        self.expect(said["grant_type"] == "client_credentials")
        self.expect(said["client_assertion_type"] == JWT)
        try:
            claims = jwt.decode(
                said["client_assertion"],
                self.of.public,
                algorithms=["RS256"],
                audience=f"{self.of.url}/token",
                options={"require": ["iss", "sub", "aud", "iat", "exp", "jti"]},
            )
        except jwt.PyJWTError:
            raise HTTPError(401) from None
        self.expect(claims["iss"] == claims["sub"] == self.of.client_id, 401)
        self.expect(
            claims["exp"] - claims["iat"] <= 300 and claims["jti"] not in self.of.used, 401
        )
        self.of.used.add(claims["jti"])
        scopes = set(said["scope"].split())
        self.expect(scopes <= ALLOWED)
        token = secrets.token_hex(8)
        self.of.tokens[token] = scopes, time.time() + self.of.lasts
        self.answer(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": self.of.lasts,
                "scope": said["scope"],
            },
            "application/json",
        )


class Items(Handler):
    part, scope = "items", f"{AGS}lineitem"
    KIND = "application/vnd.ims.lis.v2.lineitem+json"
    MANY = "application/vnd.ims.lis.v2.lineitemcontainer+json"

    def get(self):
        self.expect(self.get_argument("type_id") == "1")
        self.expect(self.request.headers["Accept"] == self.MANY, 406)
        at = int(self.get_argument("From", "0"))
        if at + 1 < len(self.of.items):
            url = f"{self.of.url}/Course/2/lineitems?type_id=1&From={at + 1}"
            self.set_header("Link", f'<{url}>; rel="next"')
        self.answer(self.of.items[at : at + 1], self.MANY)

    def post(self):
        item = self.is_sent_as(self.KIND)
        self.expect(item["label"] and item["scoreMaximum"] > 0)
        url = f"{self.of.url}/Course/2/lineitems/{len(self.of.items)}/lineitem?type_id=1"
        self.of.items.append(item | {"id": url})
        self.answer(self.of.items[-1], self.KIND, 201)


class Scores(Handler):
    part, scope = "scores", f"{AGS}score"

    def post(self, number):
        self.expect(self.get_argument("type_id") == "1" and int(number) < len(self.of.items), 404)
        score = self.is_sent_as("application/vnd.ims.lis.v1.score+json")
        self.of.posts += 1
        self.expect(score["userId"] in {each["user_id"] for each in self.of.members}, 404)
        self.expect(WHEN.match(score["timestamp"]) and "activityProgress" in score)
        self.expect(("scoreGiven" in score) == ("scoreMaximum" in score))
        held = self.of.scores.setdefault(int(number), {})
        now = datetime.fromisoformat(score["timestamp"])
        before = held.get(score["userId"])
        self.expect(before is None or now > datetime.fromisoformat(before["timestamp"]), 409)
        held[score["userId"]] = score
        self.set_status(200)


class Members(Handler):
    part, scope = "members", NAMES
    KIND = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

    def get(self):
        self.expect(self.request.headers["Accept"] == self.KIND, 406)
        at = int(self.get_argument("From", "0"))
        if at + 2 < len(self.of.members):
            self.set_header("Link", f'<{self.of.url}/Course/2/Members?From={at + 2}>; rel="next"')
        self.answer({"context": {"id": "2"}, "members": self.of.members[at : at + 2]}, self.KIND)
