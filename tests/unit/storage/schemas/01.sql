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
    claim_code_hash VARCHAR(64),
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
CREATE TABLE onboarding (
    id INTEGER NOT NULL,
    draft JSON NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id)
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
CREATE INDEX api_key_by_person ON api_key (person_id);
CREATE INDEX conversation_by_person ON conversation (person_id, updated_at);
CREATE INDEX message_by_conversation ON message (conversation_id, id);
CREATE INDEX message_by_parent ON message (parent_id);
CREATE INDEX message_streaming ON message (status) WHERE status = 'streaming';
CREATE UNIQUE INDEX one_owner_per_household ON person (household_id) WHERE role = 'owner';
CREATE INDEX searchable_by_conversation ON searchable (conversation_id);
CREATE INDEX session_by_person ON session (person_id);
