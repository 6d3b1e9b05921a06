#pragma once
// What the admin API shows of sessions: what the store knows (its record, or the summary of one) joined with
// what the directory knows (whether it has an actor here, and how that is). Ids are half a secret, so only
// handles are shown; values of the user's state are nobody's business, so only keys and sizes are. Pure
// functions.

#include <nlohmann/json.hpp>
#include <string>

#include "actors/session_directory.hpp"
#include "persistence/session_store.hpp"

namespace cafmcp::admin {

/// A time as ISO 8601 in UTC, with milliseconds; `ms` since 1970.
std::string iso_time(std::int64_t ms);

/// What a list would say of a record.
persistence::session_summary summary_of(const persistence::session_record& record);

/// A session in a list; `entry` is null if it has no actor on `node`.
nlohmann::ordered_json session_json(const persistence::session_summary& summary,
                                    const actors::entry_ptr& entry, const std::string& node);

/// A session with all that is shown of one.
nlohmann::ordered_json session_detail_json(const persistence::session_record& record,
                                           const actors::entry_ptr& entry, const std::string& node);

/// Why a session is where it is, and what happened to it, in the order of time.
nlohmann::ordered_json session_why_json(const persistence::session_record& record,
                                        const actors::entry_ptr& entry, const std::string& node);

}  // namespace cafmcp::admin
