"""The lists that go with an image: packages, and a bill of materials (CycloneDX 1.6)."""

import json
from datetime import UTC, datetime

from .contents import Component, debian_packages, python_distributions, web_packages
from .log import StepLog
from .models import preloaded
from .plan import REPOSITORY, Plan

PACKAGES = "packages.txt"
BILL = "sbom.cdx.json"
WEB_LOCK = REPOSITORY / "onboarding_ui" / "package-lock.json"


def write_inventory(plan: Plan, log: StepLog) -> None:
    """Write both lists: what the root says it has, its web application's packages, its models."""
    packages, distributions = debian_packages(plan.root), python_distributions(plan.root)
    web, models = web_packages(WEB_LOCK), preloaded(plan)
    log.write(f"{len(packages)} of Debian, {len(distributions)} of Python, {len(web)} of npm\n")
    lines = [f"{one.name} {one.version} {one.architecture}\n" for one in packages]
    lines += [f"{one.name} {one.version} python\n" for one in distributions]
    lines += [f"{one.name} {one.version} npm\n" for one in web]
    lines += [f"{one.name} {one.version} model\n" for one in models]
    (plan.staging / PACKAGES).write_text("".join(lines))
    bill = bill_of_materials(plan, [*packages, *distributions, *web, *models])
    (plan.staging / BILL).write_text(json.dumps(bill, indent=1) + "\n")


def bill_of_materials(plan: Plan, components: list[Component]) -> dict[str, object]:
    """Return the CycloneDX document; the same plan and components give the same one."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{plan.uuid('sbom')}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(plan.epoch, UTC).isoformat(),
            "component": {
                "type": "operating-system",
                "bom-ref": plan.name,
                "name": f"allerac-{plan.tier_id}",
                "version": plan.version,
            },
        },
        "components": [_described(component) for component in components],
    }


def _described(component: Component) -> dict[str, object]:
    described: dict[str, object] = {
        "type": component.kind,
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
    }
    if component.licences:
        described["licenses"] = [{"license": {"name": name}} for name in component.licences]
    return described
