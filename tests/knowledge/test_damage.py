"""Every kind of damage to a knowledge file is caught by load or lint, with its place and a mend.

Each damage is one edit of a copy of the made-up world: what it is, how it is done, the file and code under which it must be
reported, words of the reason, and a mark by which the line is found in the damaged file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import KnowledgeError, files, load
from knowledge.errors import Problem
from knowledge.lint import Level, lint
from knowledge.load import examine
from tests.knowledge.folder import WORLD, Folder

ROE = "studies/roe-2015-exemplapenem.yaml"
EXE = "drugs/exemplapenem.yaml"
RENAL = "interactions/additive-nephrotoxicity.yaml"


class Damage(NamedTuple):
    """One edit, and what must be said of it. mark: text on the line that must be named; empty where a file has no line to name."""

    name: str
    do: Callable[[Folder], None]
    file: str
    code: str
    words: str
    mark: str = ""


def swap(file: str, old: str, new: str) -> Callable[[Folder], None]:
    return lambda folder: folder.replace(file, old, new)


def add(file: str, text: str) -> Callable[[Folder], None]:
    return lambda folder: folder.append(file, text)


def put(file: str, text: str | bytes) -> Callable[[Folder], None]:
    return lambda folder: folder.write(file, text)


def rule(text: str) -> Callable[[Folder], None]:
    """One more rule of exemplapenem, whose file ends in its rules."""
    return add(EXE, f"  - {{{text}}}")


def row(text: str) -> Callable[[Folder], None]:
    """One more row of a study."""
    return add(ROE, f"  - {{{text}}}")


def statement(text: str) -> Callable[[Folder], None]:
    """One more interaction statement."""
    return add(RENAL, f"  - {{{text}}}")


CITED = "source: label-exemplex, at: section 9, read: label"
SAID = "severity: major, route: any, source: label-exemplex"

DAMAGE = [
    # the file itself
    Damage("file cut in a row", lambda folder: folder.cut(ROE, "with_conc: 5 mg"), ROE, "not-yaml", "did not find"),
    Damage("file cut after a key", lambda folder: folder.cut(ROE, "rows:"), ROE, "schema", "list of mappings", "rows:"),
    Damage("file empty", put(ROE, ""), ROE, "empty-file", "holds nothing"),
    Damage("file of comments only", put(EXE, "# later\n"), EXE, "empty-file", "holds nothing"),
    Damage("not UTF-8", put(EXE, b"name: exemplap\xe9nem\n"), EXE, "not-utf-8", "not UTF-8"),
    Damage("binary file", put(EXE, bytes(range(256))), EXE, "not-utf-8", "not UTF-8"),
    Damage("key twice in a file", add(EXE, "group: other"), EXE, "duplicate-key", '"group" stands twice', "group: other"),
    Damage(
        "key twice in a row",
        swap(ROE, "with_conc: 5 mg/mL,", "with_conc: 5 mg/mL, with_conc: 6 mg/mL,"),
        ROE,
        "duplicate-key",
        '"with_conc"',
        "6 mg/mL",
    ),
    Damage("anchor that holds itself", swap(EXE, "classes: [exemplapenems]", "classes: &all [*all]"), EXE, "anchor", "anchor", "&all"),
    Damage("alias", add(EXE, "usan: *name"), EXE, "anchor", "alias", "*name"),
    Damage("tag", swap(EXE, "infused: yes", "infused: !!bool yes"), EXE, "tag", "tag", "!!bool"),
    Damage("second document", add(EXE, "---\nname: other"), EXE, "not-yaml", "second document", "---"),
    Damage("nesting without end", swap(EXE, "classes: [", "classes: " + "[" * 5000), EXE, "too-deep", "nesting", "classes"),
    Damage("merge conflict left in", swap(EXE, "kind: drug\n", "<<<<<<< HEAD\nkind: drug\n"), EXE, "not-yaml", ""),
    Damage("drug file is a list", put(EXE, "- name: exemplapenem\n"), EXE, "schema", "not a mapping"),
    Damage("study is a list", put(ROE, "- {source: x}\n"), ROE, "schema", "mapping is expected"),
    Damage("list file is a mapping", put("classes.yaml", "samplicins: {name: samplicins}\n"), "classes.yaml", "schema", "not a list"),
    Damage("release missing", lambda folder: folder.delete("release.yaml"), "release.yaml", "missing-file", "not there"),
    Damage("classes missing", lambda folder: folder.delete("classes.yaml"), "classes.yaml", "missing-file", "not there"),
    Damage(
        "study file missing a rule's source",
        lambda folder: folder.drop("sources.yaml", "label-imaginux"),
        "drugs/imaginuximab.yaml",
        "source-unknown",
        '"label-imaginux" is unknown',
        "section 2.11",
    ),
    Damage(
        "file that nobody reads",
        put("drugs/exemplapenem-2.yml", "name: x\n"),
        "drugs/exemplapenem-2.yml",
        "stray-file",
        "does not read",
    ),
    Damage("folder that nobody reads", put("studies/old/x.yaml", "x"), "studies/old/x.yaml", "stray-file", "does not read"),
    Damage("list that nobody reads", put("notes.yaml", "- x\n"), "notes.yaml", "stray-file", "does not read"),
    # studies
    Damage("study without source", lambda folder: folder.drop(ROE, "source:"), ROE, "schema", "this field is missing"),
    Damage("study without read", lambda folder: folder.drop(ROE, "read:"), ROE, "schema", "this field is missing"),
    Damage(
        "file name is not the source",
        swap(ROE, "{id: roe-2015-exemplapenem", "{id: roe-2016-exemplapenem"),
        ROE,
        "file-name",
        "roe-2016",
        "roe-2016",
    ),
    Damage("bad DOI", swap(ROE, "pmid: 00000001", "doi: doi.org/10.1/x"), ROE, "schema", "not a DOI", "doi.org"),
    Damage("bad PMID", swap(ROE, "pmid: 00000001", "pmid: PMC123"), ROE, "schema", "not a PMID", "PMC123"),
    Damage("bad PMCID", swap(ROE, "pmid: 00000001", "pmcid: 123"), ROE, "schema", "not a PMCID", "pmcid"),
    Damage("unknown kind of source", swap(ROE, "kind: journal", "kind: blog"), ROE, "schema", '"blog" is not a known word', "blog"),
    Damage("unknown reading", swap(ROE, "what: full-text", "what: summary"), ROE, "schema", '"summary"', "summary"),
    Damage(
        "source twice",
        add("sources.yaml", "- {id: roe-2015-exemplapenem, kind: journal}"),
        "sources.yaml",
        "source-twice",
        "stands twice",
        "roe-2015",
    ),
    Damage(
        "unknown vehicle",
        swap(ROE, "with_vehicle: D5W", "with_vehicle: NSS"),
        ROE,
        "vehicle-unknown",
        '"NSS" is not a known vehicle (',
        "NSS",
    ),
    Damage("unknown vehicle in common", swap(ROE, "vehicle: NS,", "vehicle: NSS,"), ROE, "vehicle-unknown", '"NSS"', "vehicle: NSS"),
    Damage("unit misspelled", swap(ROE, "with_conc: 5 mg/mL", "with_conc: 5 mgs/mL"), ROE, "schema", "unknown unit", "mgs"),
    Damage(
        "amount for concentration",
        swap(ROE, "with_conc: 5 mg/mL", "with_conc: 5 mg"),
        ROE,
        "schema",
        "an amount, not a concentration",
        "with_conc: 5 mg,",
    ),
    Damage(
        "concentration from high to low",
        swap(ROE, "with_conc: 5 mg/mL", "with_conc: 5-1 mg/mL"),
        ROE,
        "schema",
        "from high to low",
        "5-1",
    ),
    Damage("concentration of zero", swap(ROE, "with_conc: 5 mg/mL", "with_conc: 0 mg/mL"), ROE, "schema", "zero", "0 mg/mL, with_vehicle"),
    Damage(
        "bad concentration in common",
        swap(ROE, "conc: 20 mg/mL", "conc: twenty"),
        ROE,
        "schema",
        '"twenty" is not a concentration',
        "twenty",
    ),
    Damage(
        "unknown drug in a row",
        swap(ROE, "with: samplicin", "with: samplicine"),
        ROE,
        "drug-unknown",
        'the drug "samplicine" is unknown',
        "samplicine",
    ),
    Damage(
        "unknown group in a row",
        row('with: "group:salty", result: compatible, finding: none'),
        ROE,
        "group-unknown",
        '"salty"',
        "group:salty",
    ),
    Damage(
        "row with itself",
        row("with: exemplapenem, result: compatible, finding: none"),
        ROE,
        "schema",
        "both sides are the same drug",
        "with: exemplapenem",
    ),
    Damage(
        "misspelled result",
        swap(ROE, "result: variable", "result: varable"),
        ROE,
        "schema",
        '"varable" is not a known word',
        "varable",
    ),
    Damage("unknown mode", swap(ROE, "mode: y-site", "mode: piggyback"), ROE, "schema", '"piggyback"', "piggyback"),
    Damage("unknown basis", swap(ROE, "basis: physical", "basis: biological"), ROE, "schema", '"biological"', "biological"),
    Damage("unknown finding", swap(ROE, "finding: haze", "finding: fog"), ROE, "schema", '"fog"', "fog"),
    Damage("unknown method", swap(ROE, "[visual, turbidity]", "[visual, turbidty]"), ROE, "schema", '"turbidty"', "turbidty"),
    Damage("method twice", swap(ROE, "[visual, turbidity]", "[visual, visual]"), ROE, "schema", "stands twice", "visual, visual"),
    Damage(
        "compatible with a precipitate",
        swap(ROE, "result: compatible, finding: none", "result: compatible, finding: precipitate"),
        ROE,
        "schema",
        "a compatible row cannot have",
        "result: compatible",
    ),
    Damage(
        "incompatible without finding",
        swap(ROE, "finding: precipitate", "finding: none"),
        ROE,
        "schema",
        "an incompatible row needs a finding",
        "incompatible",
    ),
    Damage("negative hours", swap(ROE, "hours: 4", "hours: -4"), ROE, "schema", '"-4" is not a number', "hours: -4"),
    Damage("hours with unit", swap(ROE, "hours: 4", "hours: 4 h"), ROE, "schema", '"4 h" is not a number', "hours: 4 h"),
    Damage("hours that never end", swap(ROE, "hours: 4", "hours: inf"), ROE, "schema", '"inf" is not a number', "inf"),
    Damage("locator missing", swap(ROE, ", at: Table 2", ""), ROE, "schema", "this field is missing", "with: fictazolam"),
    Damage(
        "unknown field in a row",
        swap(ROE, "with_vehicle: D5W", "with_vehcle: D5W"),
        ROE,
        "schema",
        "this field is unknown",
        "with_vehcle",
    ),
    Damage(
        "comma that makes a field",
        swap(ROE, "note: one batch of three", "note: one batch, of three"),
        ROE,
        "schema",
        "this field is unknown",
        "of three",
    ),
    Damage("unknown field in the source", swap(ROE, "author: Roe", "autor: Roe"), ROE, "schema", "this field is unknown", "autor"),
    Damage("unknown field in a study", add(ROE, "comment: x"), ROE, "schema", "this field is unknown", "comment"),
    Damage("list for one value", swap(ROE, "result: variable", "result: [variable]"), ROE, "schema", "not a list", "[variable]"),
    Damage("empty value", swap(ROE, "note: one batch of three", "note: "), ROE, "schema", "the field is empty", "with: samplicin"),
    Damage("rows that are text", swap(ROE, "rows:", "rows: none\nmore:"), ROE, "schema", "list of mappings", "rows: none"),
    Damage("a row that is text", add(ROE, "  - fictazolam is fine"), ROE, "schema", "mapping", ""),
    Damage(
        "row with its own source",
        row("with: mockplatin, source: label-exemplex, result: compatible, finding: none"),
        ROE,
        "schema",
        "this field is unknown",
        "mockplatin",
    ),
    Damage(
        "common with a source",
        swap(ROE, "common: {", "common: {source: label-exemplex, "),
        ROE,
        "schema",
        "this field is unknown",
        "common:",
    ),
    Damage(
        "contradiction within a source",
        row("with: mockprazole, with_conc: 4 mg/mL, with_vehicle: NS, result: incompatible, finding: haze"),
        ROE,
        "contradiction-listed",
        "under the same conditions",
        "finding: haze}",
    ),
    # drugs
    Damage("drug without name", lambda folder: folder.drop(EXE, "name: exemplapenem"), EXE, "schema", "this field is missing"),
    Damage("drug of unknown kind", swap(EXE, "kind: drug", "kind: drugs"), EXE, "schema", '"drugs" is not a known word', "kind: drugs"),
    Damage("neither yes nor no", swap(EXE, "infused: yes", "infused: true"), EXE, "schema", "neither yes nor no", "infused"),
    Damage("unknown field of a drug", add(EXE, "alias: Exemplar"), EXE, "schema", "this field is unknown", "alias: Exemplar"),
    Damage("second rules block", add(EXE, "rules: []"), EXE, "duplicate-key", '"rules" stands twice', "rules: []"),
    Damage("id in the file", add(EXE, "id: exemplapenem"), EXE, "schema", "this field is unknown", "id: exemplapenem"),
    Damage(
        "file under another name",
        lambda folder: folder.rename("drugs/nonesuch.yaml", "drugs/nonsuch.yaml"),
        "drugs/nonsuch.yaml",
        "file-name",
        "drugs/nonesuch.yaml",
        "name: nonesuch",
    ),
    Damage(
        "file name with capitals",
        lambda folder: folder.rename("drugs/phonyvir.yaml", "drugs/Phonyvir.yaml"),
        "drugs/Phonyvir.yaml",
        "schema",
        "not an id",
    ),
    Damage("bad RxCUI", swap(EXE, "rxnorm: [90000001]", "rxnorm: [RX90000001]"), EXE, "schema", "rxnorm code", "codes:"),
    Damage("bad UNII", swap(EXE, "unii: [X0X0X0X001]", "unii: [x0x0]"), EXE, "schema", "unii code", "codes:"),
    Damage("unknown code system", swap(EXE, "unii: [", "atc: ["), EXE, "schema", '"atc" is not a code system', "codes:"),
    Damage("code twice", swap(EXE, "rxnorm: [90000001]", "rxnorm: [90000001, 90000001]"), EXE, "schema", "stands twice", "codes:"),
    Damage(
        "bad code of a component",
        swap("drugs/exemplapenem-fixobactam.yaml", "rxnorm: 90000902", "rxnorm: none"),
        "drugs/exemplapenem-fixobactam.yaml",
        "schema",
        "rxnorm code",
        "fixobactam, rxnorm",
    ),
    Damage(
        "unknown component of a combination",
        swap("drugs/exemplapenem-fixobactam.yaml", "drug: exemplapenem", "drug: exemplapenm"),
        "drugs/exemplapenem-fixobactam.yaml",
        "drug-unknown",
        '"exemplapenm"',
        "exemplapenm",
    ),
    Damage(
        "pH from high to low",
        swap(EXE, "low: 6.5, high: 7.5", "low: 7.5, high: 6.5"),
        EXE,
        "schema",
        "a pH runs from low to high",
        "low: 7.5",
    ),
    Damage("pH above 14", swap(EXE, "high: 7.5", "high: 75"), EXE, "schema", "within 0 to 14", "high: 75"),
    Damage("pH with one end", swap(EXE, "low: 6.5, ", ""), EXE, "schema", "a pH runs from low to high", "high: 7.5"),
    Damage(
        "unknown class",
        swap(EXE, "classes: [exemplapenems]", "classes: [exemplopenems]"),
        EXE,
        "class-unknown",
        '"exemplopenems"',
        "classes:",
    ),
    Damage(
        "membership of unknown source",
        swap(EXE, "classes: [exemplapenems]", "classes: [{class: exemplapenems, source: nobody-1999}]"),
        EXE,
        "source-unknown",
        '"nobody-1999"',
        "nobody",
    ),
    Damage(
        "class that may be systemic",
        swap(EXE, "classes: [exemplapenems]", "classes: [{class: exemplapenems, systemic: perhaps}]"),
        EXE,
        "schema",
        "neither yes nor no",
        "perhaps",
    ),
    Damage("unknown parent", add("drugs/nonesuch.yaml", "parent: nobody"), "drugs/nonesuch.yaml", "drug-unknown", '"nobody"', "parent"),
    Damage(
        "unknown component of a composition",
        add("drugs/nonesuch.yaml", f"composition: [{{component: unobtainium, role: active, {CITED}}}]"),
        "drugs/nonesuch.yaml",
        "component-unknown",
        '"unobtainium"',
        "unobtainium",
    ),
    Damage(
        "unknown role",
        add("drugs/nonesuch.yaml", f"composition: [{{component: sodium, role: leading, {CITED}}}]"),
        "drugs/nonesuch.yaml",
        "schema",
        '"leading"',
        "leading",
    ),
    Damage(
        "unknown kind of rule",
        rule(f"rule: max-volume, value: 5, unit: mL, effect: hard, {CITED}"),
        EXE,
        "word-unknown",
        '"max-volume" is unknown',
        "max-volume",
    ),
    Damage("unknown effect of a rule", rule(f"rule: no-bolus, value: yes, effect: fatal, {CITED}"), EXE, "schema", '"fatal"', "fatal"),
    Damage("rule without value", rule(f"rule: no-bolus, effect: hard, {CITED}"), EXE, "schema", "this field is missing", "no-bolus"),
    Damage(
        "rule without source",
        rule("rule: no-bolus, value: yes, effect: hard, at: section 9"),
        EXE,
        "schema",
        "this field is missing",
        "no-bolus",
    ),
    Damage(
        "rule of unknown source",
        rule("rule: no-bolus, value: yes, effect: hard, source: nobody-1999"),
        EXE,
        "source-unknown",
        '"nobody-1999"',
        "nobody",
    ),
    Damage(
        "rule against an unknown group",
        rule(f'rule: diluent-contraindicated, value: "group:salty", effect: hard, {CITED}'),
        EXE,
        "group-unknown",
        '"salty"',
        "salty",
    ),
    Damage(
        "rule with an unknown fluid",
        rule(f"rule: diluent-required, value: [NS, D5X], effect: hard, {CITED}"),
        EXE,
        "rule-value",
        '"D5X" is not a known fluid',
        "D5X",
    ),
    Damage(
        "limit with a bad unit",
        swap(EXE, "value: 20, unit: mg/mL", "value: 20, unit: mg"),
        EXE,
        "rule-value",
        "amount, not a concentration",
        "unit: mg,",
    ),
    Damage(
        "limit that is no number",
        swap(EXE, "value: 20, unit: mg/mL", "value: low, unit: mg/mL"),
        EXE,
        "rule-value",
        "not a concentration",
        "value: low",
    ),
    Damage(
        "time in hours",
        swap(EXE, "value: 30, unit: min", "value: 30, unit: h"),
        EXE,
        "rule-value",
        "not a unit of this rule",
        "unit: h,",
    ),
    Damage(
        "alias of two drugs",
        add("drugs/nonesuch.yaml", "aliases: [{name: exem-plex, kind: brand, source: x}]"),
        "drugs/nonesuch.yaml",
        "alias-unique",
        "also names exemplapenem",
        "exem-plex",
    ),
    Damage(
        "alias that is another's name",
        add("drugs/nonesuch.yaml", "aliases: [{name: Samplicin, kind: brand, source: x}]"),
        "drugs/nonesuch.yaml",
        "alias-unique",
        "also names samplicin",
        "Samplicin",
    ),
    Damage(
        "alias that is refused",
        add("drugs/nonesuch.yaml", "aliases: [{name: E.X.S., kind: abbreviation, source: x}]"),
        "drugs/nonesuch.yaml",
        "alias-unique",
        "refused as ambiguous",
        "E.X.S.",
    ),
    Damage(
        "alias without source",
        add("drugs/nonesuch.yaml", "aliases: [{name: Nonny, kind: brand}]"),
        "drugs/nonesuch.yaml",
        "schema",
        "this field is missing",
        "Nonny",
    ),
    Damage(
        "alias of unknown kind",
        add("drugs/nonesuch.yaml", "aliases: [{name: Nonny, kind: nickname, source: x}]"),
        "drugs/nonesuch.yaml",
        "schema",
        '"nickname"',
        "nickname",
    ),
    Damage(
        "alias that is only a name",
        add("drugs/nonesuch.yaml", "aliases: [Nonny]"),
        "drugs/nonesuch.yaml",
        "schema",
        "mapping is expected",
        "Nonny",
    ),
    Damage(
        "vehicle code twice",
        swap("drugs/fictional-water.yaml", "vehicle_code: SWFI", "vehicle_code: NS"),
        "drugs/fictional-water.yaml",
        "vehicle-code",
        "already",
        "vehicle_code",
    ),
    Damage(
        "vehicle code of a drug",
        add("drugs/nonesuch.yaml", "vehicle_code: NSCH"),
        "drugs/nonesuch.yaml",
        "vehicle-code",
        "a drug is not a vehicle",
        "vehicle_code",
    ),
    Damage(
        "place on a computer",
        rule("rule: no-bolus, value: yes, effect: hard, source: label-exemplex, at: /home/someone/label.pdf"),
        EXE,
        "no-machine-path",
        "/home/someone",
        "/home",
    ),
    # interactions
    Damage(
        "unknown drug in an interaction",
        statement(f"pair: [exemplapenem, nobody], {SAID}"),
        RENAL,
        "drug-unknown",
        '"nobody"',
        "nobody",
    ),
    Damage(
        "unknown class in an interaction",
        statement(f'pair: ["class:nobodies", exemplapenem], {SAID}'),
        RENAL,
        "class-unknown",
        '"nobodies"',
        "nobodies",
    ),
    Damage(
        "unknown management code",
        statement(f"pair: [samplicin, exemplapenem], manage: [pray], {SAID}"),
        RENAL,
        "word-unknown",
        '"pray"',
        "pray",
    ),
    Damage(
        "unknown effect code",
        statement(f"pair: [samplicin, exemplapenem], effect: woe, {SAID}"),
        RENAL,
        "word-unknown",
        '"woe"',
        "woe",
    ),
    Damage(
        "object without precipitant",
        statement(f"object: samplicin, {SAID}"),
        RENAL,
        "schema",
        "give pair, or object and precipitant",
        "object: samplicin, severity: major, route",
    ),
    Damage(
        "pair of three",
        statement(f"pair: [samplicin, exemplapenem, nonesuch], {SAID}"),
        RENAL,
        "schema",
        "a pair has two members",
        "nonesuch",
    ),
    Damage("pair of prose", statement(f'pair: ["some drugs", exemplapenem], {SAID}'), RENAL, "schema", "is not a reference", "some drugs"),
    Damage(
        "unknown severity",
        statement("pair: [samplicin, exemplapenem], severity: severe, route: any, source: label-exemplex"),
        RENAL,
        "schema",
        '"severe"',
        "severe",
    ),
    Damage(
        "unknown route",
        statement("pair: [samplicin, exemplapenem], severity: major, route: nasal, source: label-exemplex"),
        RENAL,
        "schema",
        '"nasal"',
        "nasal",
    ),
    Damage(
        "interaction without source",
        statement("pair: [samplicin, exemplapenem], severity: major, route: any"),
        RENAL,
        "schema",
        "this field is missing",
        "severity: major, route: any}",
    ),
    Damage(
        "interaction of unknown source",
        statement("pair: [samplicin, exemplapenem], severity: major, route: any, source: nobody-1999"),
        RENAL,
        "source-unknown",
        '"nobody-1999"',
        "nobody",
    ),
    Damage(
        "decided without words",
        statement(f"pair: [samplicin, exemplapenem], decided_by: {{max_age_days: 28}}, {SAID}"),
        RENAL,
        "schema",
        "needs the condition in words",
        "max_age_days",
    ),
    Damage(
        "age in months",
        statement(f"pair: [samplicin, exemplapenem], when: infants, decided_by: {{max_age_days: 3 months}}, {SAID}"),
        RENAL,
        "schema",
        "not a number of days",
        "3 months",
    ),
    Damage(
        "decided by something else",
        statement(f"pair: [samplicin, exemplapenem], when: x, decided_by: {{moon: full}}, {SAID}"),
        RENAL,
        "schema",
        "decided_by is a mapping",
        "moon",
    ),
    Damage(
        "route of an unknown drug",
        statement(f"pair: [samplicin, exemplapenem], when: x, decided_by: {{routes: {{samplicn: iv}}}}, {SAID}"),
        RENAL,
        "drug-unknown",
        '"samplicn"',
        "samplicn",
    ),
    Damage(
        "first that is neither",
        statement(f"pair: [samplicin, exemplapenem], first: nonesuch, {SAID}"),
        RENAL,
        "first-unknown",
        "not one of the pair",
        "first",
    ),
    Damage(
        "mechanism is not the file",
        swap(RENAL, "mechanism: additive-nephrotoxicity", "mechanism: additive-sedation"),
        RENAL,
        "file-name",
        "additive-sedation",
        "mechanism",
    ),
    Damage(
        "mechanism without words",
        lambda folder: folder.drop("vocabulary.yaml", "additive-nephrotoxicity"),
        RENAL,
        "word-unknown",
        '"additive-nephrotoxicity"',
    ),
    # the files that are lists
    Damage(
        "class twice",
        add("classes.yaml", "- {id: samplicins, name: again, source: guideline-imaginary}"),
        "classes.yaml",
        "id-twice",
        '"samplicins" stands twice',
        "again",
    ),
    Damage(
        "class of unknown source",
        add("classes.yaml", "- {id: novelties, name: novelties, source: nobody-1999}"),
        "classes.yaml",
        "source-unknown",
        '"nobody-1999"',
        "nobody",
    ),
    Damage(
        "group of unknown content",
        add("groups.yaml", "- {id: odd, name: odd, contains: [unobtainium]}"),
        "groups.yaml",
        "component-unknown",
        '"unobtainium"',
        "unobtainium",
    ),
    Damage(
        "group of unknown member",
        add("groups.yaml", "- {id: odd, name: odd, members: [nobody]}"),
        "groups.yaml",
        "drug-unknown",
        '"nobody"',
        "nobody",
    ),
    Damage(
        "group of unknown carrier",
        add("groups.yaml", "- {id: odd, name: odd, carriers: [nobody]}"),
        "groups.yaml",
        "drug-unknown",
        '"nobody"',
        "nobody",
    ),
    Damage(
        "salt of an unknown ion",
        add("substances.yaml", "- {id: odd-salt, kind: salt, yields: [unobtainium]}"),
        "substances.yaml",
        "component-unknown",
        '"unobtainium"',
        "unobtainium",
    ),
    Damage("substance of unknown kind", add("substances.yaml", "- {id: odd, kind: gas}"), "substances.yaml", "schema", '"gas"', "gas"),
    Damage(
        "token of an unknown drug",
        add("ambiguous.yaml", "- {token: NN, candidates: [nobody], why: x, source: x}"),
        "ambiguous.yaml",
        "drug-unknown",
        '"nobody"',
        "nobody",
    ),
    Damage(
        "token refused in two ways",
        add("ambiguous.yaml", "- {token: e-x-s, candidates: [nonesuch], why: x, source: x}"),
        "ambiguous.yaml",
        "alias-unique",
        "one name to a reader",
        "e-x-s",
    ),
    Damage(
        "words that are a list",
        swap("vocabulary.yaml", "severity:\n", "severity: [a]\nmore:\n"),
        "vocabulary.yaml",
        "schema",
        "maps codes to words",
        "severity",
    ),
    Damage(
        "bad version",
        put("release.yaml", "{version: latest, date: 2026-01-15}\n"),
        "release.yaml",
        "schema",
        '"latest" is not a version',
        "latest",
    ),
    Damage(
        "bad date",
        put("release.yaml", "{version: 2026.1.1, date: 15 January 2026}\n"),
        "release.yaml",
        "schema",
        "is not a date",
        "January",
    ),
    Damage(
        "day that no calendar has",
        put("release.yaml", "{version: 2026.2.1, date: 2026-02-30}\n"),
        "release.yaml",
        "release-sane",
        "not a day of the calendar",
        "2026-02-30",
    ),
    Damage(
        "version of another month",
        put("release.yaml", "{version: 2026.3.1, date: 2026-01-15}\n"),
        "release.yaml",
        "release-sane",
        "not of the month",
        "2026.3.1",
    ),
    Damage(
        "excuse no longer needed",
        put("accepted-gaps.yaml", "- {code: infused-drug-has-code, about: exemplapenem, why: x}\n"),
        "accepted-gaps.yaml",
        "excuse-stale",
        "exemplapenem",
        "exemplapenem",
    ),
    Damage(
        "excuse without reason",
        put("accepted-gaps.yaml", "- {code: infused-drug-has-code, about: exemplapenem}\n"),
        "accepted-gaps.yaml",
        "schema",
        "code, about and why",
        "exemplapenem",
    ),
    Damage(
        "excuse twice",
        put("accepted-gaps.yaml", "- {code: a, about: b, why: x}\n- {code: a, about: b, why: y}\n"),
        "accepted-gaps.yaml",
        "id-twice",
        "excused twice",
        "why: y",
    ),
]


def test_the_world_itself_is_sound() -> None:
    assert [] == [finding for finding in lint(WORLD) if finding.level is Level.ERROR]


def test_each_damage_has_its_own_name() -> None:
    names = [damage.name for damage in DAMAGE]

    assert len(set(names)) == len(names) >= 30


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.name)
def test_damage_is_caught_with_place_and_mend(folder: Folder, damage: Damage) -> None:
    damage.do(folder)

    errors = [finding.problem for finding in lint(folder.root) if finding.level is Level.ERROR]
    caught = [
        problem for problem in errors if (problem.file, problem.code) == (damage.file, damage.code) and damage.words in problem.reason
    ]

    assert caught, "\n".join(map(str, errors)) or "nothing was found"
    assert all(problem.mend for problem in caught)
    if damage.mark:
        assert folder.line(damage.file, damage.mark) in [problem.line for problem in caught]
    assert set(_refusals(folder)) <= set(errors), "what load refuses, lint tells in the same words"


def _refusals(folder: Folder) -> tuple[Problem, ...]:
    try:
        load(folder.root, cache=False)
    except KnowledgeError as error:
        return error.problems
    return ()


def test_all_problems_are_told_in_one_run(folder: Folder) -> None:
    folder.replace(ROE, "result: variable", "result: varable")
    folder.replace(ROE, "with_conc: 5 mg/mL", "with_conc: 5 mg")
    folder.replace(EXE, "infused: yes", "infused: true")
    folder.cut(RENAL, "statements:\n  - {pair")

    with pytest.raises(KnowledgeError) as raised:
        load(folder.root, cache=False)

    assert {ROE, EXE, RENAL} == {problem.file for problem in raised.value.problems}
    assert 2 == sum(problem.file == ROE for problem in raised.value.problems)


def test_a_broken_file_is_told_once_and_not_wherever_it_is_named(folder: Folder) -> None:
    folder.replace(EXE, "infused: yes", "infused: true")

    with pytest.raises(KnowledgeError) as raised:
        load(folder.root, cache=False)

    assert [EXE] == [problem.file for problem in raised.value.problems]


CONTENTS = files.read_all(WORLD)


@settings(max_examples=60)
@given(st.data())
def test_random_damage_is_read_or_told_never_a_crash(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(CONTENTS)))
    content = bytearray(CONTENTS[name])
    how = data.draw(st.sampled_from(["cut", "flip", "insert", "double"]))
    at = data.draw(st.integers(0, len(content) - 1))
    if how == "cut":
        del content[at:]
    elif how == "flip":
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "insert":
        content[at:at] = data.draw(st.binary(min_size=1, max_size=4))
    else:
        lines = CONTENTS[name].splitlines(keepends=True)
        number = data.draw(st.integers(0, len(lines) - 1))
        content = bytearray(b"".join(lines[: number + 1] + lines[number:]))

    reading = examine({**CONTENTS, name: bytes(content)})

    assert all(problem.file and problem.reason and problem.mend for problem in reading.problems)
