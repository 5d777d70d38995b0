"""roll-ups by facet, by unit, by co-operative, and counts of what does not add up; filled from the sealed transfers"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None

CHARACTERS = sa.Text().with_variant(postgresql.TEXT(collation='C'), 'postgresql')
NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
FIGURES = (
    'accepted_fen', 'accepted_grams', 'certified_fen', 'returned_fen', 'returned_grams', 'allowance_fen',
    'received_fen', 'refunded_fen', 'farm_gate_fen', 'wage_fen', 'land_fen', 'dividend_fen', 'collective_fen',
    'households_paid_fen', 'collective_paid_fen',
)
FACETS = ('unit_type', 'method', 'fund_source', 'category', 'certified')
PAID = {'collective_paid_fen': "= 'collective'", 'households_paid_fen': "IN ('farm_gate', 'wage', 'land', 'dividend')"}


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':  # in the order of characters, as on SQLite
        op.execute('ALTER TABLE village_presence ALTER COLUMN thing TYPE TEXT COLLATE "C"')
    op.create_index('ix_village_presence_kind_thing', 'village_presence', ['kind', 'thing'])
    op.create_index('ix_village_presence_village_thing', 'village_presence', ['village_id', 'kind', 'thing', 'period'])
    op.add_column('village_presence', sa.Column('way', CHARACTERS, nullable=False, server_default=''))
    op.add_column('village_presence', sa.Column('supplier_id', NUMBER))
    note_trade()
    op.create_index('ix_ledger_transfer_paid', 'ledger_transfer', ['period', 'village_id'],
                    sqlite_where=sa.text("event = 'paid_out'"), postgresql_where=sa.text("event = 'paid_out'"))
    make('village_month_facet', sa.Column('village_id', NUMBER, sa.ForeignKey(
        'division.id', name='fk_village_month_facet_village_id'), nullable=False))
    told = sa.String(length=12)
    make('county_month_facet', sa.Column('told', told, nullable=False),
         sa.Column('county_id', NUMBER, autoincrement=False, nullable=False))
    make('unit_month', sa.Column('told', told, nullable=False), sa.Column('unit_id', NUMBER, sa.ForeignKey(
        'organisation.id', name='fk_unit_month_unit_id'), nullable=False))
    key = sa.Column('supplier_id', NUMBER, sa.ForeignKey('organisation.id', name='fk_supplier_month_supplier_id'),
                    nullable=False)
    op.create_table('supplier_month', key, sa.Column('period', sa.String(length=7), nullable=False),
                    *(sa.Column(one, NUMBER, nullable=False) for one in FIGURES),
                    sa.PrimaryKeyConstraint('supplier_id', 'period', name='pk_supplier_month'),
                    sqlite_with_rowid=False)
    op.create_table(
        'area_count',
        sa.Column('area_id', NUMBER, autoincrement=False, nullable=False),
        sa.Column('kind', sa.String(length=12), nullable=False),
        sa.Column('way', sa.Text(), nullable=False),
        sa.Column('period', sa.String(length=7), nullable=False),
        sa.Column('after', sa.String(length=7), nullable=False),
        sa.Column('things', NUMBER, nullable=False),
        sa.PrimaryKeyConstraint('area_id', 'kind', 'way', 'period', 'after', name='pk_area_count'),
        sqlite_with_rowid=False,
    )
    fill_months()
    for area, join in (('p.village_id', ''), ('d.township_id', JOIN), ('d.county_id', JOIN), ('0', '')):
        fill_counts(area, join)
    fill_sold()


def make(name: str, *first: sa.Column[int] | sa.Column[str]) -> None:
    keys = (*first, sa.Column('period', sa.String(length=7), nullable=False),
            *(sa.Column(one, sa.Text(), nullable=False) for one in FACETS[:-1]),
            sa.Column('certified', sa.Boolean(), nullable=False))
    op.create_table(name, *keys, *(sa.Column(one, NUMBER, nullable=False) for one in FIGURES),
                    sa.PrimaryKeyConstraint(*(key.name for key in keys), name=f'pk_{name}'), sqlite_with_rowid=False)


# ---- back-fill ------------------------------------------------------------------------------------------------------


def fill_months() -> None:
    sealed = 't.block_no IS NOT NULL AND t.village_id IS NOT NULL'
    fed = ("(t.event IN ('accepted', 'returned', 'allowance', 'received', 'refunded') OR "
           "t.event IN ('attributed', 'withdrawn', 'paid_out') AND t.income_kind IS NOT NULL)")
    facets = ', '.join("coalesce(t.{0}, '')".format(name) for name in FACETS[:-1]) + ', t.certified'
    names = ', '.join(('period', *FACETS, *FIGURES))
    sums = ', '.join(f'coalesce(sum({figure(name)}), 0)' for name in FIGURES)
    op.execute(f'INSERT INTO village_month_facet (village_id, {names}) '
               f'SELECT t.village_id, t.period, {facets}, {sums} FROM ledger_transfer t WHERE {sealed} AND {fed} '
               f'GROUP BY t.village_id, t.period, {facets}')
    op.execute(f"INSERT INTO unit_month (told, unit_id, {names}) "
               f"SELECT 'all', t.unit_id, t.period, {facets}, {sums} FROM ledger_transfer t "
               f'WHERE {sealed} AND t.unit_id IS NOT NULL AND {fed} GROUP BY t.unit_id, t.period, {facets}')
    op.execute(f"INSERT INTO supplier_month (supplier_id, period, {', '.join(FIGURES)}) "
               f'SELECT t.supplier_id, t.period, {sums} FROM ledger_transfer t '
               f'WHERE {sealed} AND t.supplier_id IS NOT NULL AND {fed} GROUP BY t.supplier_id, t.period')
    whole = ', '.join(('m.period', *(f'm.{name}' for name in FACETS)))
    added = ', '.join(f'sum(m.{name})' for name in FIGURES)
    op.execute(f"INSERT INTO county_month_facet (told, county_id, {names}) SELECT 'all', d.county_id, {whole}, {added} "
               f'FROM village_month_facet m JOIN division d ON d.id = m.village_id WHERE d.county_id IS NOT NULL '
               f'GROUP BY d.county_id, {whole}')
    op.execute(f"INSERT INTO county_month_facet (told, county_id, {names}) SELECT 'all', 0, {whole}, {added} "
               f'FROM village_month_facet m GROUP BY {whole}')
    for table, area, tells in (('county_month_facet', 'county_id', FACETS), ('unit_month', 'unit_id', ('none',))):
        for told in tells:
            kept = ', '.join(f'm.{name}' if name == told else 'false' if name == 'certified' else "''"
                             for name in FACETS)
            by = f'm.{area}, m.period' + (f', m.{told}' if told != 'none' else '')
            op.execute(f"INSERT INTO {table} (told, {area}, {names}) SELECT '{told}', m.{area}, m.period, {kept}, "
                       f"{added} FROM {table} m WHERE m.told = 'all' GROUP BY {by}")


def figure(name: str) -> str:
    """What a figure takes of a transfer `t`."""
    stem, _dash, measure = name.rpartition('_')
    amount = 't.grams' if measure == 'grams' else 't.amount_fen'
    if name in PAID:
        parts = [(f"t.event = 'paid_out' AND t.income_kind {PAID[name]}", 1)]
    elif name == 'certified_fen':
        parts = [("t.event = 'accepted' AND t.certified", 1), ("t.event = 'returned' AND t.certified", -1)]
    elif stem in ('accepted', 'returned', 'allowance', 'received', 'refunded'):
        parts = [(f"t.event = '{stem}'", 1)]
    else:
        parts = [(f"t.event = 'attributed' AND t.income_kind = '{stem}'", 1),
                 (f"t.event = 'withdrawn' AND t.income_kind = '{stem}'", -1)]
    cases = ' '.join(f'WHEN {condition} THEN {sign} * {amount}' for condition, sign in parts)
    return f'(CASE {cases} ELSE 0 END) * (CASE WHEN t.backward THEN -1 ELSE 1 END)'


JOIN = 'JOIN division d ON d.id = p.village_id'


def fill_counts(area: str, join: str) -> None:
    """The number of things by area, month and the month after in which they occur there; people of households."""
    seen = (f'SELECT {area} AS area_id, p.kind, max(p.way) AS way, p.thing, p.period FROM village_presence p {join} '
            f"GROUP BY {'' if area == '0' else area + ', '}p.kind, p.thing, p.period")
    into = 'INSERT INTO area_count (area_id, kind, way, period, after, things)'
    op.execute(f'{into} SELECT m.area_id, m.kind, m.way, m.period, m.after, count(*) FROM ({months(seen)}) m '
               'GROUP BY m.area_id, m.kind, m.way, m.period, m.after')
    op.execute(f"{into} SELECT m.area_id, 'people', m.way, m.period, m.after, sum(h.people) FROM "
               f"({months(seen)} AND s.kind = 'household') m JOIN household h ON h.id = CAST(m.thing AS BIGINT) "
               'GROUP BY m.area_id, m.way, m.period, m.after')


def fill_sold() -> None:
    """The number of orders of each co-operative."""
    sold = ("SELECT DISTINCT p.supplier_id AS area_id, 'sold' AS kind, '' AS way, p.thing, p.period "
            'FROM village_presence p')
    op.execute('INSERT INTO area_count (area_id, kind, way, period, after, things) '
               f'SELECT m.area_id, m.kind, m.way, m.period, m.after, count(*) FROM ({months(sold)}) m '
               'GROUP BY m.area_id, m.kind, m.way, m.period, m.after')


def months(seen: str) -> str:
    """With the month after."""
    return ("SELECT s.area_id, s.kind, s.way, s.thing, s.period, "
            "lead(s.period, 1, '9999-12') OVER (PARTITION BY s.area_id, s.kind, s.thing ORDER BY s.period) AS after "
            f'FROM ({seen}) s WHERE s.area_id IS NOT NULL')


def note_trade() -> None:
    """Of every order the kind of unit, the method and the co-operative that the last goods accepted there say."""
    op.execute(
        'UPDATE village_presence SET way = t.way, supplier_id = t.supplier_id FROM ('
        "SELECT village_id, period, order_ref, coalesce(unit_type, '') || ' ' || coalesce(method, '') AS way, "
        'supplier_id, row_number() OVER (PARTITION BY village_id, period, order_ref ORDER BY block_no DESC, id DESC) '
        'AS place FROM ledger_transfer WHERE block_no IS NOT NULL AND village_id IS NOT NULL '
        "AND event = 'accepted' AND NOT backward AND order_ref IS NOT NULL) t "
        "WHERE t.place = 1 AND village_presence.kind = 'order' AND village_presence.village_id = t.village_id "
        'AND village_presence.period = t.period AND village_presence.thing = t.order_ref')


def downgrade() -> None:
    for table in ('area_count', 'supplier_month', 'unit_month', 'county_month_facet', 'village_month_facet'):
        op.drop_table(table)
    op.drop_index('ix_ledger_transfer_paid', 'ledger_transfer')
    for column in ('supplier_id', 'way'):
        op.drop_column('village_presence', column)
    for index in ('village_thing', 'kind_thing'):
        op.drop_index(f'ix_village_presence_{index}', 'village_presence')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE village_presence ALTER COLUMN thing TYPE TEXT COLLATE "default"')
