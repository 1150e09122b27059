"""The other formats: each is read by somebody else's reader, and holds to its own standard."""

import csv
import io
import json
import zipfile
from typing import Any

import jsonschema
import pytest
from fhir.resources.R4B.bundle import Bundle

from anomaly.exports.childproject import childproject_of
from anomaly.exports.fhir import fhir_of
from anomaly.exports.open_mhealth import open_mhealth_of
from anomaly.notice import NOTICE
from infants.access import Viewer
from infants.consents import give_consent
from infants.models import Consent, Infant, Membership, Recording
from infants.pseudonyms import pseudonym
from tests.anomaly.exports.taking import FATES, an_infant_with_everything, taken
from tests.builders import a_member
from tests.house import project

pytestmark = pytest.mark.django_db
Life = tuple[Infant, dict[str, Recording]]
SCHEMA = json.loads((project.ROOT / "docs/schemas/iclas-cry-deviation-1.0.json").read_text())


@pytest.fixture
def life() -> Life:
    return an_infant_with_everything()


def _researcher(infant: Infant) -> Viewer:
    give_consent(infant, Consent.Purpose.RESEARCH, a_member(infant))
    return Viewer(user=a_member(infant, Membership.Role.RESEARCHER))


# --- FHIR ----------------------------------------------------------------------------------------


def _resources(viewer: Viewer | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return the resources of a Bundle by type, once an independent reader has taken it."""
    text = b"".join(fhir_of(taken(viewer))).decode()
    Bundle.model_validate_json(text)
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in json.loads(text)["entry"]:
        assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def test_a_bundle_holds_patient_device_observations_and_a_report(life: Life) -> None:
    made = life[1]
    found = _resources()
    assert {kind: len(some) for kind, some in found.items()} == {
        "Patient": 1,
        "Device": 1,
        "Observation": len(FATES),
        "DiagnosticReport": 1,
    }
    [patient], [device], [report] = (
        found[kind] for kind in ("Patient", "Device", "DiagnosticReport")
    )
    assert patient["name"] == [{"text": "Ada Lovelace"}]
    assert patient["birthDate"] == "2026-01-01"
    assert device["deviceName"][0]["name"] == "Ada's monitor"
    assert [one["reference"] for one in report["result"]] == [
        f"urn:uuid:{made[fate].id}" for fate in FATES
    ]
    assert report["effectivePeriod"] == {
        "start": "2026-02-28T23:00:00Z",  # midnight in Zurich
        "end": "2026-03-31T22:00:00Z",
    }
    assert report["conclusion"] == NOTICE


def test_a_scored_observation_has_a_quantity_and_a_component_a_model(life: Life) -> None:
    infant, made = life
    by_id = {one["id"]: one for one in _resources()["Observation"]}
    scored = by_id[str(made["scored"].id)]
    assert scored["valueQuantity"]["value"] == 0.5
    assert "dataAbsentReason" not in scored
    assert scored["subject"] == {"reference": f"urn:uuid:{infant.id}"}
    assert scored["device"] == {"reference": f"urn:uuid:{made['scored'].device_id}"}
    assert scored["effectivePeriod"] == {
        "start": "2026-03-01T09:00:00Z",
        "end": "2026-03-01T09:00:07Z",
    }
    assert "personal model 4" in scored["method"]["text"]
    assert scored["derivedFrom"][0]["identifier"]["value"] == str(made["scored"].id)
    codes = [part["code"]["coding"][0]["code"] for part in scored["component"]]
    assert codes == ["p-value-gmm", "score-gmm"]


def test_an_observation_without_a_score_says_why(life: Life) -> None:
    by_id = {one["id"]: one for one in _resources()["Observation"]}
    said = {}
    for fate, recording in life[1].items():
        observation = by_id[str(recording.id)]
        assert observation["note"] == [{"text": NOTICE}]
        if fate != "scored":
            assert "valueQuantity" not in observation
            assert "component" not in observation
            codings = observation["dataAbsentReason"]["coding"]
            said[fate] = [coding["code"] for coding in codings]
    assert said == {
        "learning": ["temp-unknown", "still_learning"],
        "not_a_cry": ["not-applicable", "not_a_cry"],
        "undecodable": ["error", "undecodable"],
        "on_its_way": ["temp-unknown", "on_its_way"],
        "not_my_baby": ["not-applicable", "not_my_baby"],
    }


def test_a_researchers_bundle_names_nobody_and_no_bundle_claims_loinc(life: Life) -> None:
    infant, made = life
    viewer = _researcher(infant)
    [patient] = _resources(viewer)["Patient"]
    assert patient["id"] == str(pseudonym("infant", infant.id))
    text = b"".join(fhir_of(taken(viewer))).decode()
    for told in ("Ada", "2026-01-01", str(infant.id), str(made["scored"].device_id)):
        assert told not in text
    assert "loinc" not in b"".join(fhir_of(taken())).decode().lower()


def test_a_bundle_of_nobody_is_one_too() -> None:
    assert not Bundle.model_validate_json(b"".join(fhir_of(taken(Viewer())))).entry


# --- Open mHealth --------------------------------------------------------------------------------


def test_every_data_point_is_of_the_schema_and_has_a_number_or_a_reason(life: Life) -> None:
    points = [json.loads(line) for line in b"".join(open_mhealth_of(taken())).splitlines()]
    assert len(points) == len(FATES)
    for point in points:
        jsonschema.Draft202012Validator(SCHEMA).validate(point["body"])
        schema_id = point["header"]["schema_id"]
        assert f"urn:iclas:schema:{schema_id['name']}:{schema_id['version']}" == SCHEMA["$id"]
        assert point["header"]["user_id"] == str(life[0].id)
    assert points[0]["body"]["p_value"] == 0.5
    assert points[1]["body"]["no_score_because"] == "still_learning"


# --- ChildProject --------------------------------------------------------------------------------


def _folder(viewer: Viewer | None = None) -> dict[str, list[dict[str, str]]]:
    """Return the tables of a zip file by name."""
    with zipfile.ZipFile(io.BytesIO(b"".join(childproject_of(taken(viewer))))) as folder:
        assert folder.testzip() is None
        return {
            name: list(csv.DictReader(io.StringIO(folder.read(name).decode())))
            for name in folder.namelist()
            if name.endswith(".csv")
        }


def test_the_layouts_tables_have_what_it_requires_in_its_units(life: Life) -> None:
    infant, made = life
    tables = _folder()
    [child] = tables["metadata/children.csv"]
    assert (child["child_id"], child["child_dob"]) == (str(infant.id), "2026-01-01")
    rows = tables["metadata/recordings.csv"]
    assert len(rows) == len(FATES)
    first = rows[0]
    assert (first["date_iso"], first["start_time"]) == ("2026-03-01", "10:00:00")  # in Zurich
    assert (first["duration"], first["session_offset"]) == ("7000", "0")
    assert first["recording_filename"] == f"{infant.id}/{made['scored'].id}.wav"
    assert len({row["recording_filename"] for row in rows}) == len(rows)
    assert (rows[1]["p_value"], rows[1]["no_score_because"]) == ("NA", "still_learning")


def test_annotations_name_files_that_are_there_with_the_cries_in_them(life: Life) -> None:
    tables = _folder()
    annotations = tables["metadata/annotations.csv"]
    files = {f"annotations/iclas/converted/{row['annotation_filename']}" for row in annotations}
    assert files == {name for name in tables if name.startswith("annotations/")}
    assert len(files) == 4  # what was decoded
    by_fate = {
        fate: tables[f"annotations/iclas/converted/{life[0].id}/{one.id}.csv"]
        for fate, one in life[1].items()
        if one.duration_s is not None
    }
    told = {fate: {(s["speaker_type"], s["vcm_type"]) for s in by_fate[fate]} for fate in by_fate}
    assert told["scored"] == told["learning"] == {("CHI", "Y")}
    assert told["not_my_baby"] == {("OCH", "Y")}
    assert by_fate["not_a_cry"] == []
    second = by_fate["scored"][1]
    assert (second["segment_onset"], second["segment_offset"]) == ("1000", "1500")


def test_a_researchers_layout_has_no_birth_date(life: Life) -> None:
    viewer = _researcher(life[0])
    [child] = _folder(viewer)["metadata/children.csv"]
    assert child["child_dob"] == "NA"
    assert child["child_id"] == str(pseudonym("infant", life[0].id))
