"""A platform that speaks LTI 1.3 (Moodle, Canvas, …), asked without anybody's launch.

Line items and scores are its Assignment and Grade Services 2.0, members its Names and Role
Provisioning Services 2.0.

pylti1p3 signs, asks for tokens and knows the forms. Its `Registration` and `ServiceConnector` do
without a launch; what they lack for a long row of scores stands in `Connector`.

https://www.imsglobal.org/spec/lti-ags/v2p0 · https://www.imsglobal.org/spec/lti-nrps/v2p0
"""

import contextlib
import json
import os
import tomllib
from urllib.parse import urlsplit

import requests
from pylti1p3.assignments_grades import AssignmentsGradesService
from pylti1p3.exception import LtiException, LtiServiceException
from pylti1p3.names_roles import NamesRolesProvisioningService
from pylti1p3.registration import Registration
from pylti1p3.service_connector import ServiceConnector

from translearn.coursework.instructor.folder import Course, assignments, write
from translearn.errors import CourseError

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
SCOPES = [f"{AGS}lineitem", f"{AGS}score"]
TIMEOUT = 30  # seconds for a connection, and again for an answer
KEY = "lti.key"
NEEDED = {"token", "client_id", "lineitems"}
POSSIBLE = {"members", "audience", "items"}
HERE = ("127.0.0.1", "localhost", "::1")


def settings(course: Course) -> dict:
    """The table [lti] of course.toml: `token`, `client_id`, `lineitems`, and if they are there
    `members`, `audience` and `items` ({"A1": address of a line item that is there already}).

    Raises `CourseError` when it is missing or malformed.
    """
    try:
        found = tomllib.loads((course.root / "course.toml").read_text("utf-8")).get("lti")
    except (OSError, ValueError) as problem:
        raise CourseError(f"course.toml cannot be read ({problem}). Mend that line.") from None
    if not isinstance(found, dict):
        raise CourseError(
            "course.toml says nothing of your platform: it has no table [lti]. deploy/lti.md says "
            "what goes into it."
        )
    if missing := sorted(NEEDED - set(found)):
        raise CourseError(f"course.toml, [lti]: {', '.join(missing)} is missing (deploy/lti.md).")
    if unknown := sorted(set(found) - NEEDED - POSSIBLE):
        raise CourseError(f"course.toml, [lti]: there is no setting {unknown[0]!r}.")
    items = found.setdefault("items", {})
    if not isinstance(items, dict):
        raise CourseError('course.toml, [lti.items] has lines such as A1 = "https://…".')
    for name in set(items) - set(assignments()):
        raise CourseError(f"course.toml, [lti.items]: there is no assignment {name!r}.")
    texts = {name: value for name, value in found.items() if name != "items"} | {
        f"items.{name}": value for name, value in items.items()
    }
    for name, value in texts.items():
        if not isinstance(value, str) or not value.strip():
            raise CourseError(f"course.toml, [lti]: {name} should be a text in quotes.")
        if name not in ("client_id", "audience") and not _address(value):
            raise CourseError(
                f"course.toml, [lti]: {name} should be an address that begins with https://, and "
                f"is {value!r}."
            )
    return found


def _address(text):
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HERE)
    )


# ---- the key


def key(course: Course) -> tuple:
    """(private, public) key of the class as PEM; made at the first call, in `lti.key`, which only
    its owner may read.

    Raises `CourseError` when others may read it, or it is no RSA key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    path, plain = course.root / KEY, serialization.NoEncryption()
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
        write(path, made.private_bytes(*pem), mode=0o600)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise CourseError(
            f"{path} may be read by others, and whoever has it can write marks. Close it "
            f"(chmod 600 {KEY}); if somebody may have read it, delete it and give the platform "
            f"the new one."
        )
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if not isinstance(private, rsa.RSAPrivateKey):
            raise ValueError("it is no RSA key")
    except (ValueError, TypeError) as problem:
        raise CourseError(
            f"{path} cannot be used as a key ({problem}). Put it back from your backup, or delete "
            f"it: a new one is made, which the platform must be given."
        ) from None
    return path.read_text("ascii"), public.decode("ascii")


# ---- asking


class _Session(requests.Session):
    def request(self, *args, **named):
        return super().request(*args, **{"timeout": TIMEOUT} | named)


class Connector(ServiceConnector):
    """pylti1p3's, which never asks for a second token, waits for ever, and puts the address of the
    next page into small letters (its issues 89 and 139).
    """

    def __init__(self, registration):
        super().__init__(registration, _Session())

    def make_service_request(self, scopes, url, *args, **named):
        try:
            said = super().make_service_request(scopes, url, *args, **named)
        except LtiServiceException as refused:
            if refused.response.status_code != 401 or not self._access_tokens:
                raise
            self._access_tokens.clear()  # it may have run out on the way
            said = super().make_service_request(scopes, url, *args, **named)
        link = {name.lower(): value for name, value in said["headers"].items()}.get("link", "")
        following = [
            each["url"]
            for each in requests.utils.parse_header_links(link)
            if each.get("rel") == "next"
        ]
        return said | {"next_page_url": next(iter(following), None)}


class Platform:
    """`grades` and `members`, pylti1p3's services for one class."""

    def __init__(self, course: Course):
        said = settings(course)
        private, public = key(course)
        registration = Registration().set_client_id(said["client_id"])
        registration.set_auth_token_url(said["token"]).set_tool_private_key(private)
        registration.set_tool_public_key(public)
        if "audience" in said:
            registration.set_auth_audience(said["audience"])
        connector = Connector(registration)
        self.host, self.items = urlsplit(said["lineitems"]).hostname, said["items"]
        self.grades = AssignmentsGradesService(
            connector, {"scope": SCOPES, "lineitems": said["lineitems"]}
        )
        self.members = None
        if "members" in said:
            self.members = NamesRolesProvisioningService(
                connector, {"context_memberships_url": said["members"]}
            )

    @contextlib.contextmanager
    def speaking(self):
        """In it, whatever goes wrong between here and the platform is a `CourseError`."""
        try:
            yield
        except requests.exceptions.JSONDecodeError:
            problem = "it answers with something else than JSON: is each address the right one?"
        except requests.Timeout:
            problem = f"it does not answer within {TIMEOUT:g} seconds"
        except requests.RequestException as failed:
            problem = f"it cannot be reached ({type(failed).__name__})"
        except LtiServiceException as refused:
            problem = reason(refused)
        except (LtiException, KeyError, TypeError, AttributeError) as failed:
            problem = f"its answer lacks what it should hold ({type(failed).__name__}: {failed})"
        else:
            return
        raise CourseError(
            f"{self.host}: {problem}. What was sent before is noted; the same command goes on "
            f"from there."
        )


def reason(refused: LtiServiceException) -> str:
    """Why a platform refused, in words: its number, and the beginning of what it says."""
    number = refused.response.status_code
    said = " ".join(refused.response.text.split())[:150]
    what = {
        400: "it does not take what it was sent",
        401: "it does not know this class: are client_id, token and the public key what it has?",
        403: "it does not allow this: the tool may need its service for grades, or for names",
        404: "nothing is there: is the address the right one?",
        409: "it holds a newer mark, given there by hand perhaps",
    }.get(number, "it has a fault of its own" if number >= 500 else "it refuses")
    return f"{what} ({number}{': ' + said if said else ''})"


def public_key(course: Course) -> str:
    """What a platform is given: the public key as PEM (Moodle), and as JWK (Canvas)."""
    pem = key(course)[1]
    return f"{pem}\n{json.dumps(dict(Registration.get_jwk(pem)))}"
