"""progress notices with their drawings and objections; targets of counties; what counties declare"""

import sqlalchemy as sa
from alembic import op

revision = '0045'
down_revision = '0044'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
ENDED = "OLD.state IN ('published', 'withdrawn')"


def enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return points(table, column, 'user')


def points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f'{to}.id'], name=f'fk_{table}_{column}')


def upgrade() -> None:
    op.create_index('ix_ledger_transfer_day', 'ledger_transfer', ['business_date'])
    op.create_index('ix_quota_outside_order_counted_on', 'quota_outside_order', ['counted_on'])
    op.create_table(
        'bulletin',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('kind', enum('kind', 'week', 'month'), nullable=False),
        sa.Column('first_day', sa.Date(), nullable=False),
        sa.Column('last_day', sa.Date(), nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('number', NUMBER, nullable=True),
        sa.Column('grade', enum('grade', 'proven', 'uploaded', 'declared'), nullable=False),
        sa.Column('state', enum('state', 'draft', 'open', 'published', 'withdrawn'), nullable=False),
        sa.Column('office_id', NUMBER, nullable=False),
        sa.Column('corrects_id', NUMBER, nullable=True),
        sa.Column('reason', sa.String(length=300), nullable=False),
        sa.Column('version', NUMBER, nullable=False),
        sa.Column('drawn_by', NUMBER, nullable=False),
        sa.Column('drafted_by', NUMBER, nullable=False),
        sa.Column('drafted_at', sa.DateTime(), nullable=False),
        sa.Column('opened_by', NUMBER, nullable=True),
        sa.Column('opened_at', sa.DateTime(), nullable=True),
        sa.Column('open_until', sa.Date(), nullable=True),
        sa.Column('unanswered', NUMBER, nullable=False),
        sa.Column('to_redraw', sa.Boolean(), nullable=False),
        sa.Column('published_by', NUMBER, nullable=True),
        sa.Column('published_at', sa.DateTime(), nullable=True),
        sa.Column('published_on', sa.Date(), nullable=True),
        sa.Column('sha256', sa.String(length=64), nullable=True),
        sa.Column('head', sa.String(length=90), nullable=True),
        sa.Column('withdrawn_by', NUMBER, nullable=True),
        sa.Column('withdrawn_at', sa.DateTime(), nullable=True),
        sa.Column('withdrawn_why', sa.String(length=300), nullable=False),
        sa.CheckConstraint('last_day >= first_day', name='ck_bulletin_days'),
        sa.CheckConstraint('unanswered >= 0', name='ck_bulletin_unanswered'),
        sa.CheckConstraint("corrects_id IS NULL OR reason <> ''", name='ck_bulletin_erratum'),
        sa.CheckConstraint("state <> 'published' OR (number IS NOT NULL AND published_by IS NOT NULL AND published_at "
                           "IS NOT NULL AND sha256 IS NOT NULL AND head IS NOT NULL)", name='ck_bulletin_published'),
        sa.CheckConstraint("number IS NULL OR state = 'published'", name='ck_bulletin_number'),
        sa.CheckConstraint('published_by IS NULL OR published_by <> drawn_by', name='ck_bulletin_second_person'),
        sa.CheckConstraint("state <> 'published' OR (unanswered = 0 AND NOT to_redraw)", name='ck_bulletin_answered'),
        sa.CheckConstraint("state <> 'published' OR published_on > open_until", name='ck_bulletin_heard'),
        sa.CheckConstraint("(state = 'withdrawn') = (withdrawn_by IS NOT NULL)", name='ck_bulletin_withdrawn'),
        points('bulletin', 'office_id', 'organisation'), points('bulletin', 'corrects_id', 'bulletin'),
        *(person('bulletin', f'{name}_by') for name in ('drawn', 'drafted', 'opened', 'published', 'withdrawn')),
        sa.PrimaryKeyConstraint('id', name='pk_bulletin'),
        sa.UniqueConstraint('year', 'number', name='uq_bulletin_year_number')
    )
    first, live = (sa.text("state <> 'withdrawn' AND corrects_id IS NULL"), sa.text("state <> 'withdrawn'"))
    op.create_index('uq_bulletin_period', 'bulletin', ['kind', 'first_day'], unique=True, sqlite_where=first,
                    postgresql_where=first)
    op.create_index('uq_bulletin_corrects', 'bulletin', ['corrects_id'], unique=True, sqlite_where=live,
                    postgresql_where=live)
    op.create_table(
        'bulletin_version',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('bulletin_id', NUMBER, nullable=False),
        sa.Column('number', NUMBER, nullable=False),
        sa.Column('content', sa.Text(), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('head', sa.String(length=90), nullable=False),
        sa.Column('drawn_by', NUMBER, nullable=False),
        sa.Column('drawn_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('number > 0', name='ck_bulletin_version_number'),
        points('bulletin_version', 'bulletin_id', 'bulletin'), person('bulletin_version', 'drawn_by'),
        sa.PrimaryKeyConstraint('id', name='pk_bulletin_version'),
        sa.UniqueConstraint('bulletin_id', 'number', name='uq_bulletin_version_bulletin_id_number')
    )
    op.create_table(
        'bulletin_objection',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('bulletin_id', NUMBER, nullable=False),
        sa.Column('version', NUMBER, nullable=False),
        sa.Column('county_id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('figure', sa.String(length=32), nullable=False),
        sa.Column('words', sa.String(length=500), nullable=False),
        sa.Column('file_id', NUMBER, nullable=True),
        sa.Column('raised_by', NUMBER, nullable=False),
        sa.Column('raised_at', sa.DateTime(), nullable=False),
        sa.Column('outcome', enum('outcome', 'corrected', 'kept'), nullable=True),
        sa.Column('answer', sa.String(length=500), nullable=False),
        sa.Column('answered_by', NUMBER, nullable=True),
        sa.Column('answered_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint("words <> ''", name='ck_bulletin_objection_words'),
        sa.CheckConstraint('(outcome IS NULL) = (answered_by IS NULL) AND (outcome IS NULL) = (answered_at IS NULL)',
                           name='ck_bulletin_objection_answered'),
        sa.CheckConstraint("outcome IS NULL OR answer <> ''", name='ck_bulletin_objection_answer'),
        points('bulletin_objection', 'bulletin_id', 'bulletin'), points('bulletin_objection', 'county_id', 'division'),
        points('bulletin_objection', 'organisation_id', 'organisation'),
        points('bulletin_objection', 'file_id', 'stored_file'), person('bulletin_objection', 'raised_by'),
        person('bulletin_objection', 'answered_by'),
        sa.PrimaryKeyConstraint('id', name='pk_bulletin_objection')
    )
    op.create_index('ix_bulletin_objection_bulletin_id', 'bulletin_objection', ['bulletin_id'])
    op.create_table(
        'bulletin_number',
        sa.Column('year', NUMBER, autoincrement=False, nullable=False),
        sa.Column('last', NUMBER, nullable=False),
        sa.PrimaryKeyConstraint('year', name='pk_bulletin_number')
    )
    op.create_table(
        'county_target',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('county_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('document', sa.String(length=120), nullable=False),
        sa.Column('entered_by', NUMBER, nullable=False),
        sa.Column('entered_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('amount_fen > 0', name='ck_county_target_amount'),
        sa.CheckConstraint("document <> ''", name='ck_county_target_document'),
        points('county_target', 'county_id', 'division'), person('county_target', 'entered_by'),
        sa.PrimaryKeyConstraint('id', name='pk_county_target')
    )
    op.create_index('ix_county_target_newest', 'county_target', ['year', 'county_id', 'id'])
    op.create_table(
        'county_declared',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('county_id', NUMBER, nullable=False),
        sa.Column('kind', enum('kind', 'week', 'month'), nullable=False),
        sa.Column('first_day', sa.Date(), nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('reason', sa.String(length=300), nullable=False),
        sa.Column('file_id', NUMBER, nullable=True),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('declared_by', NUMBER, nullable=False),
        sa.Column('declared_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('amount_fen >= 0', name='ck_county_declared_amount'),
        sa.CheckConstraint("reason <> ''", name='ck_county_declared_reason'),
        points('county_declared', 'county_id', 'division'), points('county_declared', 'file_id', 'stored_file'),
        points('county_declared', 'organisation_id', 'organisation'), person('county_declared', 'declared_by'),
        sa.PrimaryKeyConstraint('id', name='pk_county_declared')
    )
    op.create_index('ix_county_declared_newest', 'county_declared', ['kind', 'first_day', 'county_id', 'id'])
    guard = guard_postgresql if op.get_bind().dialect.name == 'postgresql' else guard_sqlite
    guard('bulletin', ENDED)
    guard('bulletin_objection', 'OLD.outcome IS NOT NULL')
    for table in ('bulletin_version', 'county_target', 'county_declared'):
        guard(table, '')


def guard_postgresql(table: str, when: str) -> None:
    """As in 0002: no row is deleted, and none changed, or none that has ended."""
    condition = f'WHEN ({when}) ' if when else ''
    op.execute(f'CREATE TRIGGER {table}_stays BEFORE UPDATE ON {table} FOR EACH ROW {condition}'
               'EXECUTE FUNCTION refuse_change()')
    op.execute(f'CREATE TRIGGER {table}_grows BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()')
    op.execute(f'CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table} '
               'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()')


def guard_sqlite(table: str, when: str) -> None:
    condition = f'WHEN {when} ' if when else ''
    op.execute(f'CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {condition}'
               f"BEGIN SELECT RAISE(ABORT, '{table} only grows: UPDATE is refused'); END")
    op.execute(f'CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} '
               f"BEGIN SELECT RAISE(ABORT, '{table} only grows: DELETE is refused'); END")


def downgrade() -> None:
    for table in ('county_declared', 'county_target', 'bulletin_number', 'bulletin_objection', 'bulletin_version',
                  'bulletin'):
        op.drop_table(table)
    op.drop_index('ix_quota_outside_order_counted_on', 'quota_outside_order')
    op.drop_index('ix_ledger_transfer_day', 'ledger_transfer')
