# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the Hugging Face hub tells about a file: version, checksum, and how to ask for it.

`huggingface_hub` knows the endpoint (`HF_ENDPOINT`) and the user's token. It does not keep what
has arrived of a file when it is interrupted, so the file itself is fetched by `fetch`.
"""

from __future__ import annotations

import dataclasses
import re

import httpx2
from huggingface_hub import get_hf_file_metadata, get_token, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError

_SHA256 = re.compile('[0-9a-f]{64}')


@dataclasses.dataclass(frozen=True)
class Remote:
    """A file of a repository.

    Attributes:
        file: Its name there.
        url: Its address in this very version.
        headers: What to send along: who asks.
        commit: The version.
        sha256: Checksum; empty for small files, of which the hub gives none.
    """

    file: str
    url: str
    headers: dict[str, str]
    commit: str
    sha256: str


def find(repository: str, revision: str, file: str) -> Remote:
    """Ask for a file of a repository.

    Raises:
        FileNotFoundError: No such repository, revision, or file in it.
        PermissionError: Not for this user; the hub says the same of what does not exist.
        ConnectionError: Out of reach, or no hub.
        ValueError: The repository's name cannot be one.
    """
    url = hf_hub_url(repository, file, revision=revision)
    token = get_token()
    try:
        seen = get_hf_file_metadata(url)
    except HfHubHTTPError as error:
        raise _refusal(url, error.response) from error
    except httpx2.HTTPError as error:
        raise ConnectionError(f'{url}: {error or type(error).__name__}') from error
    if seen.commit_hash is None:
        raise ConnectionError(f'{url} is not served by a Hugging Face hub; see HF_ENDPOINT')
    return Remote(
        file=file,
        url=hf_hub_url(repository, file, revision=seen.commit_hash),
        headers={'Authorization': f'Bearer {token}'} if token else {},
        commit=seen.commit_hash,
        sha256=seen.etag if seen.etag and _SHA256.fullmatch(seen.etag) else '',
    )


def _refusal(url: str, answer: httpx2.Response) -> OSError:
    said = f'{url} answers {answer.status_code} {answer.reason_phrase}'
    if answer.status_code in {401, 403}:
        return PermissionError(
            f'{said}: there is no such repository, or it is not open to you. If it asks to accept '
            'its licence, do that on its page; then log in with `hf auth login`'
        )
    if answer.status_code == 404:
        return FileNotFoundError(said)
    return ConnectionError(said)
