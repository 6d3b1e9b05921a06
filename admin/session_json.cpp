#include "admin/session_json.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "supervisors/base_actor.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

// Name and version as the client said them; null before it has.
json client_json(const std::string& client_info) {
  const auto info = json::parse(client_info, nullptr, false);
  if (!info.is_object())
    return nullptr;
  const auto text = [&](const char* key) {
    const auto i = info.find(key);
    return i != info.end() && i->is_string() ? *i : json("");
  };
  return {{"name", text("name")}, {"version", text("version")}};
}

// The state of the actor, and not of the session, which is well in any case.
const char* status_of(const actors::entry_ptr& entry) {
  if (!entry)
    return "passive";
  return entry->actor() ? "active" : "restarting";
}

json actor_json(const actors::entry_ptr& entry) {
  json out{{"status", status_of(entry)},
           {"pid", nullptr},
           {"restarts", entry ? entry->restarts.load() : 0},
           {"context", nullptr}};
  const auto actor = entry ? entry->actor() : caf::actor{};
  if (!actor)
    return out;
  out["pid"] = actor.id();
  const auto* base = dynamic_cast<otp::base_actor*>(caf::actor_cast<caf::abstract_actor*>(actor));
  if (base != nullptr && base->home() != nullptr)
    out["context"] = base->home()->index();
  return out;
}

}  // namespace

std::string iso_time(std::int64_t ms) {
  auto seconds = static_cast<std::time_t>(ms / 1000);
  auto rest = ms % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr)
    return "";
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(rest));
  return text.data();
}

persistence::session_summary summary_of(const persistence::session_record& record) {
  return {record.id,         record.principal,      record.protocol.client_info,  record.protocol.version,
          record.created_ms, record.last_active_ms, persistence::bytes_of(record)};
}

json session_json(const persistence::session_summary& summary, const actors::entry_ptr& entry,
                  const std::string& node) {
  return {{"id", entry ? entry->handle : actors::handle_of(summary.id)},
          {"node", node},
          {"replicas", json::array()},
          {"era", "session"},
          {"version", mcp::to_string(summary.version)},
          {"client", client_json(summary.client_info)},
          {"connected", entry && entry->connected.load()},
          {"created", iso_time(summary.created_ms)},
          {"last_active", iso_time(summary.last_active_ms)},
          {"bytes", summary.bytes},
          {"running", entry ? entry->running.load() : 0},
          {"status", status_of(entry)}};
}

json session_detail_json(const persistence::session_record& record, const actors::entry_ptr& entry,
                         const std::string& node) {
  auto out = session_json(summary_of(record), entry, node);
  out["principal"] = record.principal;
  out["log_level"] = record.protocol.min_level ? json(mcp::to_string(*record.protocol.min_level)) : json();
  out["subscriptions"] = record.protocol.subscriptions;
  auto& user = out["user"] = json::array();
  for (const auto& [key, value] : record.user)
    user.push_back({{"key", key}, {"bytes", value.size()}});
  out["outbound"] = record.outbound.size();
  out["restarts"] = entry ? entry->restarts.load() : 0;
  out["queue"] = {{"messages", entry ? entry->queued.load() : 0},
                  {"bytes", entry ? entry->queued_bytes.load() : 0}};
  return out;
}

json session_why_json(const persistence::session_record& record, const actors::entry_ptr& entry,
                      const std::string& node) {
  auto history = entry ? entry->history() : std::vector<actors::session_event>{};
  history.insert(history.begin(), {record.created_ms, "created"});
  std::stable_sort(history.begin(), history.end(),
                   [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
  auto events = json::array();
  for (const auto& event : history)
    events.push_back({{"at", iso_time(event.at_ms)}, {"what", event.what}});
  return {{"id", entry ? entry->handle : actors::handle_of(record.id)},
          {"owner", node},
          {"epoch", record.epoch},
          {"in_sync", {node}},
          {"actor", actor_json(entry)},
          {"events", std::move(events)}};
}

}  // namespace cafmcp::admin
