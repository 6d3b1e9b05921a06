#include "admin/session_view.hpp"

#include <cstdio>

#include "admin/drawing.hpp"
#include "base/log.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t longest_client = 40;

std::string yes_or_no(const json& object, const char* key) {
  const auto& value = member_of(object, key);
  return value.is_boolean() && value.get<bool>() ? "yes" : "no";
}

std::string client_of(const json& session) {
  const auto& client = member_of(session, "client");
  const auto name = text_of(client, "name");
  const auto version = text_of(client, "version");
  auto out = name + (name.empty() || version.empty() ? "" : " ") + version;
  if (columns(out) > longest_client) {
    std::size_t keep = 0;
    for (std::size_t seen = 0; seen < longest_client; ++keep)
      seen += (static_cast<unsigned char>(out[keep]) & 0xC0) != 0x80 ? 1 : 0;
    out = out.substr(0, keep - 1) + "…";
  }
  return or_dash(std::move(out));
}

const char* colour_of_status(const std::string& status) {
  return status == "active" || status == "up" ? "32" : status == "restarting" ? "31" : "2";
}

// The strings of an array, with commas between them.
std::string joined(const json& list) {
  std::string out;
  for (const auto& item : list)
    if (item.is_string())
      out += (out.empty() ? "" : ", ") + log::printable(item.get<std::string>());
  return out;
}

std::string one_session(const json& s, bool colours) {
  const auto status = text_of(s, "status");
  const auto& queue = member_of(s, "queue");
  std::string out =
      key_line("id", paint(text_of(s, "id"), "1", colours)) + key_line("node", text_of(s, "node")) +
      key_line("replicas", joined(member_of(s, "replicas"))) +
      key_line("status", paint(status, colour_of_status(status), colours)) +
      key_line("connected", yes_or_no(s, "connected")) + key_line("client", client_of(s)) +
      key_line("principal", text_of(s, "principal")) + key_line("protocol", text_of(s, "version")) +
      key_line("created", text_of(s, "created")) + key_line("last active", text_of(s, "last_active")) +
      key_line("bytes", grouped(number_of(s, "bytes"))) +
      key_line("running calls", grouped(number_of(s, "running"))) +
      key_line("queue", grouped(number_of(queue, "messages")) + " messages, " +
                            grouped(number_of(queue, "bytes")) + " bytes") +
      key_line("outbound", grouped(number_of(s, "outbound")) + " messages kept") +
      key_line("restarts", grouped(number_of(s, "restarts"))) +
      key_line("log level", text_of(s, "log_level")) +
      key_line("subscriptions", joined(member_of(s, "subscriptions")));
  const auto& user = member_of(s, "user");
  out += key_line("state", user.empty() ? "" : grouped(user.size()) + " keys");
  for (const auto& item : user)
    out += "  " + text_of(item, "key") + "  " + grouped(number_of(item, "bytes")) + " bytes\n";
  return out;
}

}  // namespace

std::string draw_sessions(const json& list, bool colours) {
  if (!list.is_array() || list.empty())
    return "no sessions\n";
  text_table table{{{"SESSION"},
                    {"NODE"},
                    {"STATUS"},
                    {"CONNECTED"},
                    {"CLIENT"},
                    {"PROTOCOL"},
                    {"LAST ACTIVE"},
                    {"BYTES", true},
                    {"RUNNING", true}}};
  for (const auto& s : list) {
    const auto status = text_of(s, "status");
    table.add({{or_dash(text_of(s, "id"))},
               {or_dash(text_of(s, "node"))},
               {or_dash(status), colour_of_status(status)},
               {yes_or_no(s, "connected")},
               {client_of(s)},
               {or_dash(text_of(s, "version"))},
               {or_dash(text_of(s, "last_active"))},
               {grouped(number_of(s, "bytes"))},
               {grouped(number_of(s, "running"))}});
  }
  return table.draw(colours) + grouped(list.size()) + (list.size() == 1 ? " session\n" : " sessions\n");
}

std::string draw_session(const json& list, bool colours) {
  std::string out;
  if (list.is_array())
    for (const auto& s : list)
      out += one_session(s, colours);
  return out.empty() ? "no session\n" : out;
}

std::string draw_killed(const json& answer, bool) {
  return "session " + or_dash(text_of(answer, "id")) + " on " + or_dash(text_of(answer, "from")) +
         " has ended (" + grouped(number_of(answer, "millis")) + " ms)\n";
}

std::string draw_why(const json& answer, bool colours) {
  const auto& actor = member_of(answer, "actor");
  const auto status = text_of(actor, "status");
  std::string about = paint(or_dash(status), colour_of_status(status), colours);
  if (member_of(actor, "pid").is_number())
    about += ", pid " + std::to_string(number_of(actor, "pid"));
  if (member_of(actor, "context").is_number())
    about += ", context " + std::to_string(number_of(actor, "context"));
  about += ", restarted " + grouped(number_of(actor, "restarts")) + " times";
  std::string out = key_line("session", paint(text_of(answer, "id"), "1", colours)) +
                    key_line("owner", text_of(answer, "owner")) +
                    key_line("epoch", std::to_string(number_of(answer, "epoch"))) +
                    key_line("in sync", joined(member_of(answer, "in_sync"))) + key_line("actor", about);
  for (const auto& event : member_of(answer, "events"))
    out += paint(text_of(event, "at"), "2", colours) + "  " + text_of(event, "what") + '\n';
  return out;
}

std::string draw_servers(const json& list, bool colours) {
  if (!list.is_array() || list.empty())
    return "no servers\n";
  text_table table{{{"SERVER"},
                    {"KIND"},
                    {"NODE"},
                    {"STATUS"},
                    {"RESTARTS", true},
                    {"TOOLS", true},
                    {"RESOURCES", true},
                    {"PROMPTS", true},
                    {"CALLS", true},
                    {"ERRORS", true},
                    {"P99 MS", true}}};
  for (const auto& s : list) {
    const auto status = text_of(s, "status");
    const auto& p99 = member_of(s, "p99_ms");
    char p99_text[32];
    std::snprintf(p99_text, sizeof(p99_text), "%.2f", p99.is_number() ? p99.get<double>() : 0.0);
    table.add({{or_dash(text_of(s, "name"))},
               {or_dash(text_of(s, "kind"))},
               {or_dash(text_of(s, "node"))},
               {or_dash(status), colour_of_status(status)},
               {grouped(number_of(s, "restarts")), number_of(s, "restarts") > 0 ? "33" : ""},
               {grouped(number_of(s, "tools"))},
               {grouped(number_of(s, "resources"))},
               {grouped(number_of(s, "prompts"))},
               {grouped(number_of(s, "calls"))},
               {grouped(number_of(s, "errors")), number_of(s, "errors") > 0 ? "31" : ""},
               {p99_text}});
  }
  return table.draw(colours);
}

}  // namespace cafmcp::admin
