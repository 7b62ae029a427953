-- 1 tickets
CREATE TABLE IF NOT EXISTS `fairlead`.`tickets`
(
    source LowCardinality(String),
    ticket_id String,
    key String,
    created DateTime64(3, 'UTC'),
    updated DateTime64(3, 'UTC'),
    assignee UInt64,
    status LowCardinality(String),
    `group` LowCardinality(String),
    kind LowCardinality(String),
    priority LowCardinality(String),
    project LowCardinality(String),
    parent String,
    areas Array(String),
    effort Nullable(Float64),
    history_complete Bool,
    incomplete_reason LowCardinality(String),
    unrecorded UInt32,
    deleted Nullable(DateTime64(3, 'UTC')),
    version UInt64,
    `changes.at` Array(DateTime64(3, 'UTC')),
    `changes.seq` Array(UInt32),
    `changes.field` Array(LowCardinality(String)),
    `changes.from` Array(String),
    `changes.to` Array(String),
    `changes.actor` Array(UInt64),
    `contributions.at` Array(DateTime64(3, 'UTC')),
    `contributions.actor` Array(UInt64),
    `contributions.act` Array(LowCardinality(String)),
    `assignments.actor` Array(UInt64),
    `assignments.group` Array(LowCardinality(String)),
    `assignments.from` Array(DateTime64(3, 'UTC')),
    `assignments.to` Array(Nullable(DateTime64(3, 'UTC'))),
    `spells.field` Array(LowCardinality(String)),
    `spells.value` Array(String),
    `spells.from` Array(DateTime64(3, 'UTC')),
    `spells.to` Array(Nullable(DateTime64(3, 'UTC')))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, ticket_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 2 actors
CREATE TABLE IF NOT EXISTS `fairlead`.`actors`
(
    source LowCardinality(String),
    account String,
    id UInt64,
    name String,
    email String,
    active Bool,
    bot Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, account)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 3 terms
CREATE TABLE IF NOT EXISTS `fairlead`.`terms`
(
    source LowCardinality(String),
    field LowCardinality(String),
    id String,
    name String,
    value LowCardinality(String),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, field, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 4 checkpoints
CREATE TABLE IF NOT EXISTS `fairlead`.`checkpoints`
(
    source LowCardinality(String),
    stream LowCardinality(String),
    cursor String,
    updated DateTime64(3, 'UTC'),
    done Bool,
    tickets UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, stream)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 5 key_claims
CREATE TABLE IF NOT EXISTS `fairlead`.`key_claims`
(
    fingerprint String,
    claimed DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (claimed)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 6 listed
CREATE TABLE IF NOT EXISTS `fairlead`.`listed`
(
    source LowCardinality(String),
    ticket_id String,
    sweep UInt64
)
ENGINE = ReplacingMergeTree(sweep)
ORDER BY (source, ticket_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 7 roster
CREATE TABLE IF NOT EXISTS `fairlead`.`roster`
(
    `id` UInt8,
    `hash` String,
    `written` DateTime64(3, 'UTC'),
    `version` UInt64,
    `people.id` Array(String),
    `people.name` Array(String),
    `people.emails` Array(Array(String)),
    `people.joined` Array(Nullable(Date32)),
    `people.left` Array(Nullable(Date32)),
    `schedules.person` Array(String),
    `schedules.from` Array(Nullable(Date32)),
    `schedules.zone` Array(LowCardinality(String)),
    `schedules.hours` Array(String),
    `schedules.holidays` Array(Array(String)),
    `schedules.fte` Array(Float64),
    `accounts.person` Array(String),
    `accounts.source` Array(LowCardinality(String)),
    `accounts.account` Array(String),
    `accounts.surrogate` Array(UInt64),
    `bots.source` Array(LowCardinality(String)),
    `bots.account` Array(String),
    `leave.person` Array(String),
    `leave.from` Array(Nullable(Date32)),
    `leave.to` Array(Nullable(Date32)),
    `leave.part` Array(Float64),
    `holidays.calendar` Array(LowCardinality(String)),
    `holidays.day` Array(Nullable(Date32)),
    `teams.name` Array(String),
    `teams.notify` Array(Array(String)),
    `leads.team` Array(String),
    `leads.person` Array(String),
    `leads.from` Array(Nullable(Date32)),
    `leads.to` Array(Nullable(Date32)),
    `queues.team` Array(String),
    `queues.source` Array(LowCardinality(String)),
    `queues.queue` Array(String),
    `queues.from` Array(Nullable(Date32)),
    `queues.to` Array(Nullable(Date32)),
    `memberships.team` Array(String),
    `memberships.person` Array(String),
    `memberships.from` Array(Nullable(Date32)),
    `memberships.to` Array(Nullable(Date32)),
    `memberships.fte` Array(Float64),
    `shifts.team` Array(String),
    `shifts.person` Array(String),
    `shifts.from` Array(DateTime64(3, 'UTC')),
    `shifts.to` Array(DateTime64(3, 'UTC'))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1;

-- 8 reports
CREATE TABLE IF NOT EXISTS `fairlead`.`reports`
(
    id String,
    quarter LowCardinality(String),
    made DateTime64(3, 'UTC'),
    fairlead String,
    method String,
    history String,
    roster String,
    document String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 9 ticket marks
ALTER TABLE `fairlead`.`tickets` ADD COLUMN IF NOT EXISTS marks Array(LowCardinality(String));

-- 10 erased
CREATE TABLE IF NOT EXISTS `fairlead`.`erased`
(
    id UInt64,
    person UInt64,
    erased DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 11 pruning
CREATE TABLE IF NOT EXISTS `fairlead`.`pruning`
(
    source LowCardinality(String),
    ticket_id String,
    number UInt64,
    latest Bool,
    areas Array(String),
    handed Array(LowCardinality(String)),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, ticket_id, number)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 12 horizon
CREATE TABLE IF NOT EXISTS `fairlead`.`horizon`
(
    id UInt8,
    before DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 13 old areas
CREATE TABLE IF NOT EXISTS `fairlead`.`old_areas`
(
    source LowCardinality(String),
    area String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, area)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 14 old handovers
CREATE TABLE IF NOT EXISTS `fairlead`.`old_handovers`
(
    source LowCardinality(String),
    `group` LowCardinality(String),
    run UInt64,
    handovers UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, `group`, run)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- 15 quarters
CREATE TABLE IF NOT EXISTS `fairlead`.`quarters`
(
    quarter String,
    begin DateTime64(3, 'UTC'),
    method String,
    tickets UInt64,
    history String,
    roster String,
    version UInt64,
    `groups.name` Array(String),
    `groups.people` Array(UInt32),
    `groups.provisional` Array(Bool),
    `groups.capacity` Array(Float64),
    `groups.total` Array(Float64),
    `groups.verdict` Array(LowCardinality(String)),
    `groups.gini` Array(Nullable(Float64)),
    `groups.gini_low` Array(Nullable(Float64)),
    `groups.gini_high` Array(Nullable(Float64)),
    `groups.gini_chance` Array(Nullable(Float64)),
    `groups.gini_chance_low` Array(Nullable(Float64)),
    `groups.gini_chance_high` Array(Nullable(Float64)),
    `groups.gini_excess` Array(Nullable(Float64)),
    `groups.hoover` Array(Nullable(Float64)),
    `groups.hoover_chance` Array(Nullable(Float64)),
    `groups.theil` Array(Nullable(Float64)),
    `groups.hhi` Array(Nullable(Float64)),
    `groups.effective` Array(Nullable(Float64)),
    `groups.p` Array(Nullable(Float64)),
    `groups.p_adjusted` Array(Nullable(Float64))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (quarter)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

