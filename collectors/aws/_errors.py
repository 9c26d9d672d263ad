"""What a failed AWS call means: botocore's exceptions become gaps, or one line that a user can act on.

The texts are made of our own words, of error codes and of operation names. Messages of AWS are not quoted, because
some hold signatures and encoded authorisation data; only the reason of a denial ("because no identity-based policy
allows …") is taken from them.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import ParseError

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from agent.errors import Unanswered, UsageError
from agent.model import GapKind
from collectors.aws._call import AwsCall

UNREADABLE = (ResponseParserError, ParseError, KeyError, ValueError)
"""What botocore's parsers raise or let through for an answer that is not what the service's protocol says."""
FAILURES = (boto.BotoCoreError, boto.ClientError, *UNREADABLE)
"""What botocore raises for a call that failed."""
UNREACHED = (boto.HTTPClientError, boto.ConnectionError)
"""What it raises where there was no answer at all."""
_EXPIRED = re.compile(r"ExpiredToken|RequestExpired|TokenRefreshRequired")
_BY_CODE: tuple[tuple[re.Pattern[str], GapKind, str], ...] = (
    (  # what regional endpoints answer to valid credentials while the account has the region switched off
        re.compile(r"^(OptInRequired|InvalidClientTokenId|UnrecognizedClientException|AuthFailure)$"),
        GapKind.UNSUPPORTED,
        ": the region is switched off for this account",
    ),
    (_EXPIRED, GapKind.DENIED, ": the credentials expired during the audit"),
    (
        re.compile(
            r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimitExceeded|ThroughputExceeded"
            r"|PriorRequestNotComplete"
        ),
        GapKind.THROTTLED,
        "",
    ),
    (re.compile(r"RequestTimeout|GatewayTimeout"), GapKind.TIMEOUT, ""),
    (
        re.compile(r"Unsupported|NotSupported|NotImplemented|UnknownOperation|InvalidAction|SubscriptionRequired"),
        GapKind.UNSUPPORTED,
        "",
    ),
    (
        re.compile(r"AccessDenied|Unauthorized|NotAuthorized|Forbidden|AuthorizationError|AllAccessDisabled"),
        GapKind.DENIED,
        "",
    ),
)
_BY_STATUS = {429: GapKind.THROTTLED, 403: GapKind.DENIED, 504: GapKind.TIMEOUT}
_SERVER_ERROR = 500
_REASON = re.compile(r"\bbecause (?:no [\w-]+ polic|.{0,120}explicit deny)[\w :*-]{0,120}")
_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.UnauthorizedSSOTokenError,
    boto.SSOTokenLoadError,
    boto.TokenRetrievalError,
    boto.LoginError,
)
_BY_EXCEPTION: tuple[tuple[tuple[type[Exception], ...], GapKind, str], ...] = (
    ((boto.ReadTimeoutError, boto.ConnectTimeoutError), GapKind.TIMEOUT, "no answer in time"),
    (_NO_CREDENTIALS, GapKind.DENIED, "no valid credentials any more"),
    (
        (boto.EndpointProviderError, boto.UnknownRegionError, boto.NoRegionError, boto.UnknownServiceError),
        GapKind.UNSUPPORTED,
        "the service has no endpoint there",
    ),
    ((*UNREADABLE, boto.PaginationError), GapKind.UNREADABLE, "the answer could not be read"),
    (UNREACHED, GapKind.UNREACHABLE, "could not be reached"),
)


def error_code(error: Exception) -> str:
    """The error code of an answer of AWS; empty for anything else."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, boto.ClientError) else ""


def unanswered(error: Exception, call: AwsCall, region: str) -> Unanswered:
    """The gap that a failed call leaves; what is no failure of a call is raised again."""
    where = f"{call.name} in {region}"
    kind, detail = _client_error(error) if isinstance(error, boto.ClientError) else _transport(error)
    permission = ", ".join(call.permissions) if kind is GapKind.DENIED else ""
    return Unanswered(kind, f"{where}: {detail}", permission=permission)


def _client_error(error: boto.ClientError) -> tuple[GapKind, str]:
    code = error_code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    answer = f"answered {code or 'an error without a code'} (HTTP {status})"
    for pattern, kind, meaning in _BY_CODE:
        if pattern.search(code):
            return kind, answer + (_reason(error) if kind is GapKind.DENIED and not meaning else meaning)
    other = GapKind.UNREACHABLE if status >= _SERVER_ERROR else GapKind.UNEXPECTED
    return _BY_STATUS.get(status, other), answer


def _reason(error: boto.ClientError) -> str:
    """Why access was denied, where the message says it."""
    reason = _REASON.search(str(error.response["Error"].get("Message", "")))
    return f": {reason[0]}" if reason else ""


def _transport(error: Exception) -> tuple[GapKind, str]:
    for kinds, kind, meaning in _BY_EXCEPTION:
        if isinstance(error, kinds):
            return kind, f"{meaning} ({type(error).__name__})"
    raise error


def unusable(error: Exception, who: str, endpoint: str) -> UsageError:
    """Why an account cannot be audited at all: whose credentials, what is wrong with them, what to do."""
    problem, remedy = _refused(error_code(error)) if error_code(error) else _unasked(error, endpoint or "AWS")
    return UsageError(f"{who}: {problem}; {remedy}")


def _refused(code: str) -> tuple[str, str]:
    if _EXPIRED.search(code):
        return f"the credentials have expired ({code})", "log in again, for example: aws sso login"
    return f"AWS refused the credentials ({code})", "check the keys, the home region (AWS_REGION) and the clock"


def _unasked(error: Exception, endpoint: str) -> tuple[str, str]:
    name = type(error).__name__
    if isinstance(error, boto.ProfileNotFound):
        return "there is no such profile", "correct aws.profiles, or run: aws configure list-profiles"
    if isinstance(error, boto.NoCredentialsError):
        return "no credentials were found", "set AWS_PROFILE, name a profile in aws.profiles, or run: aws configure"
    if isinstance(error, _NO_CREDENTIALS):
        return f"the credentials could not be obtained ({name})", "log in again, for example: aws sso login"
    if isinstance(error, UNREACHED):
        return f"{endpoint} could not be reached ({name})", "check aws.endpoint_url, the network and the proxy"
    if isinstance(error, UNREADABLE):
        return f"{endpoint} gave no answer of AWS ({name})", "check aws.endpoint_url and the proxy"
    return f"AWS cannot be asked ({name})", "check ~/.aws/config and AWS_REGION"
