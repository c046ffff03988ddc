CREATE TABLE answer_trace (
    message_id VARCHAR(36) NOT NULL,
    person_id VARCHAR(36) NOT NULL,
    trace JSON NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (message_id),
    FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE,
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE
);
CREATE TABLE api_key (
    id VARCHAR(36) NOT NULL,
    person_id VARCHAR(36) NOT NULL,
    name VARCHAR(64) NOT NULL,
    prefix VARCHAR(16) NOT NULL,
    key_hash VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id),
    UNIQUE (key_hash)
);
CREATE TABLE assistant (
    id VARCHAR(36) NOT NULL,
    household_id VARCHAR(36) NOT NULL,
    person_id VARCHAR(36) NOT NULL,
    visibility VARCHAR(16) NOT NULL,
    name VARCHAR(64) NOT NULL,
    description VARCHAR(200) NOT NULL,
    avatar VARCHAR(32) NOT NULL,
    instructions TEXT NOT NULL,
    model_id VARCHAR(128),
    temperature FLOAT,
    max_tokens INTEGER,
    starters JSON NOT NULL,
    uses_knowledge BOOLEAN NOT NULL,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(household_id) REFERENCES household (id) ON DELETE CASCADE,
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE
);
CREATE TABLE assistant_file (
    assistant_id VARCHAR(36) NOT NULL,
    file_id VARCHAR(36) NOT NULL,
    PRIMARY KEY (assistant_id, file_id),
    FOREIGN KEY(assistant_id) REFERENCES assistant (id) ON DELETE CASCADE,
    FOREIGN KEY(file_id) REFERENCES knowledge_file (id) ON DELETE CASCADE
);
CREATE TABLE assistant_narrowing (
    assistant_id VARCHAR(36) NOT NULL,
    PRIMARY KEY (assistant_id),
    FOREIGN KEY(assistant_id) REFERENCES assistant (id) ON DELETE CASCADE
);
CREATE TABLE attempt (
    bucket VARCHAR(128) NOT NULL,
    window_start BIGINT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (bucket)
);
CREATE TABLE box (
    id INTEGER NOT NULL,
    device_id VARCHAR(36) NOT NULL,
    suffix VARCHAR(8) NOT NULL,
    name VARCHAR(64) NOT NULL,
    time_zone VARCHAR(64) NOT NULL,
    language VARCHAR(8) NOT NULL,
    claimed_at BIGINT,
    default_model_id VARCHAR(128),
    automatic_updates BOOLEAN NOT NULL,
    update_hour INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE conversation (
    id VARCHAR(36) NOT NULL,
    household_id VARCHAR(36) NOT NULL,
    person_id VARCHAR(36) NOT NULL,
    title VARCHAR(200),
    title_source VARCHAR(8) NOT NULL,
    model_id VARCHAR(128),
    pinned_at BIGINT,
    archived_at BIGINT,
    deleted_at BIGINT,
    leaf_id VARCHAR(36),
    context_from_id VARCHAR(36),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(household_id) REFERENCES household (id),
    FOREIGN KEY(person_id) REFERENCES person (id)
);
CREATE TABLE conversation_scope (
    conversation_id VARCHAR(36) NOT NULL,
    assistant_id VARCHAR(36),
    uses_knowledge BOOLEAN NOT NULL,
    folder VARCHAR(200),
    PRIMARY KEY (conversation_id),
    FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE,
    FOREIGN KEY(assistant_id) REFERENCES assistant (id) ON DELETE CASCADE
);
CREATE TABLE household (
    id VARCHAR(36) NOT NULL,
    name VARCHAR(64) NOT NULL,
    only INTEGER DEFAULT '1' NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (only)
);
CREATE TABLE invitation (
    id VARCHAR(36) NOT NULL,
    household_id VARCHAR(36) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    role VARCHAR(16) NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    used_by VARCHAR(36),
    revoked_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(household_id) REFERENCES household (id),
    UNIQUE (token_hash),
    FOREIGN KEY(created_by) REFERENCES person (id),
    FOREIGN KEY(used_by) REFERENCES person (id)
);
CREATE TABLE knowledge_chunk (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    file_id VARCHAR(36) NOT NULL,
    position INTEGER NOT NULL,
    first_page INTEGER,
    last_page INTEGER,
    heading TEXT NOT NULL,
    content TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    CONSTRAINT knowledge_chunk_in_order UNIQUE (file_id, position),
    FOREIGN KEY(file_id) REFERENCES knowledge_file (id) ON DELETE CASCADE
);
CREATE TABLE knowledge_file (
    id VARCHAR(36) NOT NULL,
    number INTEGER NOT NULL,
    household_id VARCHAR(36) NOT NULL,
    person_id VARCHAR(36) NOT NULL,
    visibility VARCHAR(16) NOT NULL,
    name VARCHAR(200) NOT NULL,
    folder VARCHAR(200) NOT NULL,
    origin VARCHAR(16) NOT NULL,
    origin_path TEXT,
    kind VARCHAR(8),
    size_bytes BIGINT NOT NULL,
    sha256 VARCHAR(64),
    state VARCHAR(16) NOT NULL,
    reason VARCHAR(64),
    version INTEGER NOT NULL,
    pages INTEGER,
    chunks INTEGER NOT NULL,
    indexed_version INTEGER,
    embedding_model_id VARCHAR(128),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (number),
    FOREIGN KEY(household_id) REFERENCES household (id) ON DELETE CASCADE,
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE
);
CREATE TABLE knowledge_job (
    file_id VARCHAR(36) NOT NULL,
    stage VARCHAR(16) NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    lease_owner VARCHAR(36),
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (file_id),
    FOREIGN KEY(file_id) REFERENCES knowledge_file (id) ON DELETE CASCADE
);
CREATE VIRTUAL TABLE knowledge_text USING fts5(content, heading, name, tokenize='unicode61 remove_diacritics 2');
CREATE TABLE memory (
    id VARCHAR(36) NOT NULL,
    person_id VARCHAR(36) NOT NULL,
    content VARCHAR(500) NOT NULL,
    state VARCHAR(16) NOT NULL,
    conversation_id VARCHAR(36),
    message_id VARCHAR(36),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE
);
CREATE TABLE memory_switch (
    person_id VARCHAR(36) NOT NULL,
    enabled BOOLEAN NOT NULL,
    PRIMARY KEY (person_id),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE
);
CREATE TABLE message (
    id VARCHAR(36) NOT NULL,
    conversation_id VARCHAR(36) NOT NULL,
    parent_id VARCHAR(36),
    role VARCHAR(16) NOT NULL,
    content TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    model_id VARCHAR(128),
    error JSON,
    usage JSON,
    rating VARCHAR(8),
    sequence INTEGER NOT NULL,
    client_id VARCHAR(64),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT message_sent_once UNIQUE (conversation_id, client_id),
    FOREIGN KEY(conversation_id) REFERENCES conversation (id),
    FOREIGN KEY(parent_id) REFERENCES message (id)
);
CREATE TABLE message_vector (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message_id VARCHAR(36) NOT NULL,
    conversation_id VARCHAR(36) NOT NULL,
    person_id VARCHAR(36) NOT NULL,
    model_id VARCHAR(128) NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    vector BLOB NOT NULL,
    FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE,
    FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE,
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE
);
CREATE TABLE onboarding (
    id INTEGER NOT NULL,
    draft JSON NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE passage_count (
    collection TEXT NOT NULL,
    passages INTEGER NOT NULL,
    PRIMARY KEY (collection)
);
CREATE TABLE passage_vector (
    number INTEGER NOT NULL,
    collection TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (number),
    FOREIGN KEY(number) REFERENCES knowledge_chunk (id) ON DELETE CASCADE
);
CREATE TABLE person (
    id VARCHAR(36) NOT NULL,
    household_id VARCHAR(36) NOT NULL,
    name VARCHAR(64) NOT NULL,
    name_key VARCHAR(256) NOT NULL,
    role VARCHAR(16) NOT NULL,
    language VARCHAR(8) NOT NULL,
    password_hash TEXT NOT NULL,
    recovery_hash TEXT,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT person_name_is_unique UNIQUE (household_id, name_key),
    FOREIGN KEY(household_id) REFERENCES household (id)
);
CREATE TABLE picture (
    id VARCHAR(36) NOT NULL,
    conversation_id VARCHAR(36) NOT NULL,
    client_id VARCHAR(64) NOT NULL,
    kind VARCHAR(8) NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE
);
CREATE TABLE remote_model (
    id VARCHAR(64) NOT NULL,
    title VARCHAR(64) NOT NULL,
    base_url VARCHAR(512) NOT NULL,
    model VARCHAR(128) NOT NULL,
    sealed_key TEXT,
    allow_private BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE VIRTUAL TABLE search_text USING fts5(content, tokenize='unicode61 remove_diacritics 2');
CREATE TABLE searchable (
    id INTEGER NOT NULL,
    source_id VARCHAR(36) NOT NULL,
    conversation_id VARCHAR(36) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (source_id)
);
CREATE TABLE session (
    id VARCHAR(36) NOT NULL,
    person_id VARCHAR(36) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    agent VARCHAR(200) NOT NULL,
    address VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id),
    UNIQUE (token_hash)
);
CREATE TABLE ssh_event (
    id INTEGER NOT NULL,
    act VARCHAR(32) NOT NULL,
    person_name VARCHAR(64),
    address VARCHAR(64),
    agent VARCHAR(256),
    detail VARCHAR(128),
    happened_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE ssh_key (
    id VARCHAR(36) NOT NULL,
    line TEXT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    comment VARCHAR(128) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    added_by VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (fingerprint)
);
CREATE TABLE summary (
    until_id VARCHAR(36) NOT NULL,
    conversation_id VARCHAR(36) NOT NULL,
    from_id VARCHAR(36) NOT NULL,
    message_count INTEGER NOT NULL,
    content TEXT NOT NULL,
    model_id VARCHAR(128) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (until_id),
    FOREIGN KEY(until_id) REFERENCES message (id) ON DELETE CASCADE,
    FOREIGN KEY(conversation_id) REFERENCES conversation (id) ON DELETE CASCADE
);
CREATE TABLE update_history (
    id VARCHAR(36) NOT NULL,
    version VARCHAR(64) NOT NULL,
    from_version VARCHAR(64) NOT NULL,
    origin VARCHAR(16) NOT NULL,
    notes JSON,
    began_at BIGINT NOT NULL,
    ended_at BIGINT,
    result VARCHAR(16),
    reason VARCHAR(64),
    detail TEXT,
    PRIMARY KEY (id)
);
CREATE TABLE update_state (
    id INTEGER NOT NULL,
    state VARCHAR(16) NOT NULL,
    offer JSON,
    origin VARCHAR(16),
    history_id VARCHAR(36),
    from_slot VARCHAR(32),
    boot_id VARCHAR(36),
    activations INTEGER,
    tries INTEGER NOT NULL,
    not_before BIGINT,
    reason VARCHAR(64),
    detail TEXT,
    checked_at BIGINT,
    trusted_at BIGINT,
    channel VARCHAR(16),
    pinned_version VARCHAR(64),
    postponed_until BIGINT,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX api_key_by_person ON api_key (person_id);
CREATE INDEX assistant_by_person ON assistant (person_id, id);
CREATE INDEX assistant_file_by_file ON assistant_file (file_id);
CREATE INDEX conversation_by_person ON conversation (person_id, updated_at);
CREATE INDEX knowledge_file_by_hash ON knowledge_file (sha256);
CREATE INDEX knowledge_file_by_person ON knowledge_file (person_id, id);
CREATE INDEX memory_by_person ON memory (person_id, id);
CREATE INDEX message_by_conversation ON message (conversation_id, id);
CREATE INDEX message_by_parent ON message (parent_id);
CREATE INDEX message_streaming ON message (status) WHERE status = 'streaming';
CREATE INDEX message_vector_by_conversation ON message_vector (conversation_id);
CREATE INDEX message_vector_by_message ON message_vector (message_id);
CREATE INDEX message_vector_by_person ON message_vector (person_id);
CREATE UNIQUE INDEX one_owner_per_household ON person (household_id) WHERE role = 'owner';
CREATE INDEX picture_by_message ON picture (conversation_id, client_id);
CREATE INDEX searchable_by_conversation ON searchable (conversation_id);
CREATE INDEX session_by_person ON session (person_id);
CREATE INDEX summary_by_conversation ON summary (conversation_id);
CREATE TRIGGER message_vector_of_deleted AFTER UPDATE OF deleted_at ON conversation WHEN NEW.deleted_at IS NOT NULL BEGIN DELETE FROM message_vector WHERE conversation_id = NEW.id; END;
CREATE TRIGGER message_vector_of_other_text AFTER UPDATE OF content ON message WHEN OLD.content <> NEW.content BEGIN DELETE FROM message_vector WHERE message_id = NEW.id; END;
CREATE TRIGGER passage_vector_in AFTER INSERT ON passage_vector BEGIN INSERT INTO passage_count (collection, passages) VALUES (NEW.collection, 1) ON CONFLICT (collection) DO UPDATE SET passages = passages + 1; END;
CREATE TRIGGER passage_vector_moved AFTER UPDATE OF visibility ON knowledge_file WHEN OLD.visibility <> NEW.visibility BEGIN DELETE FROM passage_vector WHERE number IN (SELECT id FROM knowledge_chunk WHERE file_id = NEW.id) AND instr(collection || '|', '|' || CASE NEW.visibility WHEN 'household' THEN 'household' ELSE NEW.person_id END || '|') = 0; END;
CREATE TRIGGER passage_vector_out AFTER DELETE ON passage_vector BEGIN INSERT INTO passage_count (collection, passages) VALUES (OLD.collection, -1) ON CONFLICT (collection) DO UPDATE SET passages = passages + -1; END;
