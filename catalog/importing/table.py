"""The kinds of tables there are, by the desk they belong to."""

from collections.abc import Mapping

from catalog.importing import designation_sheet, goods_sheet, lot_sheet, member_sheet
from catalog.importing.kinds import Kind

SUPPLIER_KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (
    goods_sheet.KIND, lot_sheet.KIND, member_sheet.KIND)}
OFFICE_KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (designation_sheet.KIND,)}
KINDS: Mapping[str, Kind] = {**SUPPLIER_KINDS, **OFFICE_KINDS}
