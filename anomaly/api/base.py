"""What every list of judgements carries."""

from typing import Any

from rest_framework.response import Response

from anomaly.notice import NOTICE
from infants.api.pagination import KeysetPagination


class JudgedPagination(KeysetPagination):
    """Pages with the notice that goes with every judgement."""

    def get_paginated_response(self, data: object) -> Response:
        """Wrap a page's documents, under the notice."""
        response = super().get_paginated_response(data)
        response.data = {"notice": NOTICE} | response.data
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the wrapping."""
        wrapped = super().get_paginated_response_schema(schema)
        wrapped["required"] = ["notice", *wrapped["required"]]
        notice = {"notice": {"type": "string", "const": NOTICE, "example": NOTICE}}
        wrapped["properties"] = notice | wrapped["properties"]
        return wrapped
