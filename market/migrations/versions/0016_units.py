"""people of units: one address one login; doors, contractors, hand-overs, admission; messages, robots, choices"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f'{target}.id'], name=f'fk_{table}_{column}')


def upgrade() -> None:
    # an address that several logins had given stays with the first of them
    op.execute("""UPDATE "user" SET email = '' WHERE email <> '' AND EXISTS (
        SELECT 1 FROM "user" AS earlier WHERE lower(earlier.email) = lower("user".email) AND earlier.id < "user".id)""")
    op.create_index('uq_user_email', 'user', [sa.text('lower(email)')], unique=True,
                    sqlite_where=sa.text("email <> ''"), postgresql_where=sa.text("email <> ''"))
    texts = ('contact', 'phone', 'window_note')
    with op.batch_alter_table('delivery_point') as table:
        for name in texts:
            table.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=''))
        table.add_column(sa.Column('closed_at', sa.DateTime(), nullable=True))
    with op.batch_alter_table('delivery_point') as table:
        for name in texts:
            table.alter_column(name, server_default=None)
    with op.batch_alter_table('organisation') as table:
        table.add_column(sa.Column('contact_name', sa.Text(), nullable=False, server_default=''))
    with op.batch_alter_table('organisation') as table:
        table.alter_column('contact_name', server_default=None)
    _units()
    _messages()


def _units() -> None:
    op.create_table(
        'unit_application',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('state', _choice('state', 'waiting', 'returned', 'admitted'), nullable=False),
        sa.Column('credit_code', sa.String(length=18), nullable=False),
        sa.Column('supervising_code', sa.String(length=18), nullable=False),
        sa.Column('applicant_id', NUMBER, nullable=True),
        sa.Column('mobile', sa.String(length=11), nullable=False),
        sa.Column('registration_token', sa.String(length=64), nullable=True),
        sa.Column('sent_at', sa.DateTime(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint("state <> 'admitted' OR decided_at IS NOT NULL", name=op.f('ck_unit_application_decided')),
        _key('unit_application', 'unit_id', 'organisation'),
        _key('unit_application', 'applicant_id', 'user'),
        _key('unit_application', 'decided_by', 'user'),
        sa.PrimaryKeyConstraint('id', name='pk_unit_application'),
        sa.UniqueConstraint('unit_id', name='uq_unit_application_unit_id'),
        sa.UniqueConstraint('registration_token', name='uq_unit_application_registration_token'),
    )
    op.create_index('ix_unit_application_state', 'unit_application', ['state', 'id'])
    op.create_table(
        'unit_leaver',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('user_id', NUMBER, nullable=False),
        sa.Column('roles', sa.JSON(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('ended_by', NUMBER, nullable=True),
        sa.Column('ended_at', sa.DateTime(), nullable=False),
        _key('unit_leaver', 'unit_id', 'organisation'), _key('unit_leaver', 'user_id', 'user'),
        _key('unit_leaver', 'ended_by', 'user'),
        sa.PrimaryKeyConstraint('id', name='pk_unit_leaver'),
    )
    op.create_index('ix_unit_leaver_unit', 'unit_leaver', ['unit_id', 'id'])
    op.create_table(
        'unit_handover',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('from_user_id', NUMBER, nullable=False),
        sa.Column('to_user_id', NUMBER, nullable=False),
        sa.Column('from_day', sa.Date(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('state', _choice('state', 'planned', 'done', 'cancelled'), nullable=False),
        sa.Column('roles', sa.JSON(), nullable=False),
        sa.Column('things', sa.JSON(), nullable=False),
        sa.Column('created_by', NUMBER, nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('done_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('from_user_id <> to_user_id', name=op.f('ck_unit_handover_two_people')),
        sa.CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name=op.f('ck_unit_handover_done')),
        _key('unit_handover', 'unit_id', 'organisation'), _key('unit_handover', 'from_user_id', 'user'),
        _key('unit_handover', 'to_user_id', 'user'), _key('unit_handover', 'created_by', 'user'),
        sa.PrimaryKeyConstraint('id', name='pk_unit_handover'),
    )
    op.create_index('ix_unit_handover_due', 'unit_handover', ['state', 'from_day'])
    _open_index('uq_unit_handover_planned', 'unit_handover', ['unit_id', 'from_user_id'], "state = 'planned'")
    op.create_table(
        'contractor_term',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('user_id', NUMBER, nullable=False),
        sa.Column('firm_name', sa.Text(), nullable=False),
        sa.Column('licence_no', sa.Text(), nullable=False),
        sa.Column('licence_seen_on', sa.Date(), nullable=False),
        sa.Column('first_day', sa.Date(), nullable=False),
        sa.Column('last_day', sa.Date(), nullable=False),
        sa.Column('added_by', NUMBER, nullable=False),
        sa.Column('added_at', sa.DateTime(), nullable=False),
        sa.Column('ended_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('last_day >= first_day', name=op.f('ck_contractor_term_days')),
        _key('contractor_term', 'unit_id', 'organisation'), _key('contractor_term', 'user_id', 'user'),
        _key('contractor_term', 'added_by', 'user'),
        sa.PrimaryKeyConstraint('id', name='pk_contractor_term'),
    )
    _open_index('uq_contractor_term_open', 'contractor_term', ['unit_id', 'user_id'], 'ended_at IS NULL')


def _open_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _messages() -> None:
    op.create_table(
        'robot',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('kind', _choice('kind', 'wecom', 'dingtalk'), nullable=False),
        sa.Column('name', sa.String(length=40), nullable=False),
        sa.Column('url', sa.String(length=500), nullable=False),
        sa.Column('secret', sa.String(length=200), nullable=False),
        sa.Column('added_by', NUMBER, nullable=False),
        sa.Column('added_at', sa.DateTime(), nullable=False),
        sa.Column('removed_at', sa.DateTime(), nullable=True),
        _key('robot', 'organisation_id', 'organisation'), _key('robot', 'added_by', 'user'),
        sa.PrimaryKeyConstraint('id', name='pk_robot'),
        sa.UniqueConstraint('organisation_id', 'url', name='uq_robot_organisation_id_url'),
    )
    op.create_table(
        'message',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('key', sa.String(length=120), nullable=False),
        sa.Column('channel', _choice('channel', 'mail', 'sms', 'wecom', 'dingtalk'), nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('user_id', NUMBER, nullable=True),
        sa.Column('robot_id', NUMBER, nullable=True),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('sent_at', sa.DateTime(), nullable=True),
        _key('message', 'organisation_id', 'organisation'), _key('message', 'user_id', 'user'),
        _key('message', 'robot_id', 'robot'),
        sa.PrimaryKeyConstraint('id', name='pk_message'),
        sa.UniqueConstraint('key', name='uq_message_key'),
    )
    op.create_index('ix_message_newest', 'message', ['organisation_id', 'id'])
    op.create_table(
        'news_switch',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('user_id', NUMBER, nullable=False),
        sa.Column('organisation_id', NUMBER, nullable=False),
        sa.Column('channel', _choice('channel', 'mail', 'sms'), nullable=False),
        sa.Column('is_on', sa.Boolean(), nullable=False),
        sa.Column('set_at', sa.DateTime(), nullable=False),
        _key('news_switch', 'user_id', 'user'), _key('news_switch', 'organisation_id', 'organisation'),
        sa.PrimaryKeyConstraint('id', name='pk_news_switch'),
        sa.UniqueConstraint('user_id', 'organisation_id', 'channel',
                            name='uq_news_switch_user_id_organisation_id_channel'),
    )


def downgrade() -> None:
    for table in ('news_switch', 'message', 'robot', 'contractor_term', 'unit_handover', 'unit_leaver',
                  'unit_application'):
        op.drop_table(table)
    with op.batch_alter_table('organisation') as table:
        table.drop_column('contact_name')
    with op.batch_alter_table('delivery_point') as table:
        for name in ('closed_at', 'window_note', 'phone', 'contact'):
            table.drop_column(name)
    op.drop_index('uq_user_email', table_name='user')
