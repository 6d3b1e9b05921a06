#include "bench/plan.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>

namespace cafmcp::bench {

const char* const default_body =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":)"
    R"({"message":"The quick brown fox jumps over the lazy dog, again."}}})";

namespace {

result<void> in_range(const char* name, std::uint64_t value, std::uint64_t lowest, std::uint64_t highest) {
  if (value >= lowest && value <= highest)
    return {};
  return fail(errc::invalid, std::string{name} + " is " + std::to_string(value) + ", must be " +
                                 std::to_string(lowest) + " to " + std::to_string(highest));
}

using fields = std::vector<std::pair<std::string, std::string>>;

// Line and fields, with the plan's in place of those of the same name; the line that ends them is missing.
std::string http_head(const plan& p, const char* method, fields given) {
  for (const auto& added : p.headers) {
    std::erase_if(given, [&](const auto& field) { return beast::iequals(field.first, added.first); });
    given.push_back(added);
  }
  std::string out = std::string{method} + ' ' + p.where.path + " HTTP/1.1\r\n";
  for (const auto& [name, value] : given)
    out += name + ": " + value + "\r\n";
  return out;
}

void build_http(plan& p) {
  const fields common{{"Host", p.where.authority()}, {"Accept", "application/json, text/event-stream"}};
  fields post = common;
  post.emplace_back("Content-Type", "application/json");
  p.post_head = http_head(p, "POST", post);
  p.delete_head = http_head(p, "DELETE", {common.front()});
  post.emplace_back("Content-Length", std::to_string(p.body.size()));
  p.request = p.what == mode::http_get ? http_head(p, "GET", common) + "\r\n"
                                       : http_head(p, "POST", post) + "\r\n" + p.body;
}

result<tcp::endpoint> resolve(const url& where) {
  asio::io_context context;
  tcp::resolver resolver{context};
  error_code ec;
  const auto found = resolver.resolve(where.host, std::to_string(where.port), ec);
  if (ec || found.empty())
    return fail(errc::unavailable, "cannot resolve host '" + where.host + "': " + ec.message());
  // IPv4 first: what a server given as localhost most likely listens on.
  auto best =
      std::find_if(found.begin(), found.end(), [](const auto& e) { return e.endpoint().address().is_v4(); });
  const tcp::endpoint address = best == found.end() ? found.begin()->endpoint() : best->endpoint();
  if (!address.address().is_loopback())
    return fail(errc::invalid, "host '" + where.host + "' is " + address.address().to_string() +
                                   ": only this machine's loopback addresses may be put under load");
  return address;
}

constexpr std::array<const char*, 5> mode_names{"http-get", "http-post", "ws-echo", "mcp-http", "mcp-ws"};
constexpr std::array<const char*, 5> use_names{"keep", "churn", "abandon", "open", "resume"};

// The value whose name is `text`; `what` for the message.
template <class Enum, std::size_t N>
result<Enum> named(const char* what, const std::array<const char*, N>& names, const std::string& text) {
  const auto at = std::find(names.begin(), names.end(), text);
  if (at != names.end())
    return static_cast<Enum>(at - names.begin());
  std::string all;
  for (std::size_t i = 0; i < N; ++i)
    all += (i == 0 ? "" : i + 1 < N ? ", " : " or ") + std::string{names[i]};
  return fail(errc::invalid, std::string{what} + " '" + text + "': must be " + all);
}

// Fields that the exchange writes itself.
bool is_ours(const std::string& name) {
  constexpr std::array<const char*, 4> ours{"Content-Length", "Transfer-Encoding", "Mcp-Session-Id",
                                            "MCP-Protocol-Version"};
  return std::any_of(ours.begin(), ours.end(),
                     [&](const char* field) { return beast::iequals(field, name); });
}

// `open` and `resume`, and what belongs to them only.
result<void> check_work(const plan& p) {
  const std::string use = to_string(p.use);
  if (has_end(p.use) && p.what != mode::mcp_http)
    return fail(errc::invalid, "session use " + use + " is for mcp-http only");
  if (has_end(p.use) && p.warmup > std::chrono::nanoseconds{0})
    return fail(errc::invalid, use + " counts every session: no warmup");
  if (p.use != session_use::open && p.count != 0)
    return fail(errc::invalid, "count is for session use open only; " + use + " has none");
  if (p.use == session_use::resume && p.ids.empty())
    return fail(errc::invalid, "resume needs the ids of the sessions: --ids FILE, written by --session open");
  if (p.use == session_use::keep && !p.ids.empty() &&
      (p.what != mode::mcp_http || p.sessions != p.ids.size()))
    return fail(errc::invalid, "sessions that are given by --ids are called over mcp-http, all of them");
  if (p.use != session_use::open)
    return {};
  if (p.count == 0)
    return fail(errc::invalid, "open needs to know how many sessions: --count N");
  for (const auto& checked :
       {in_range("count", p.count, 1, max_count), in_range("sample", p.sample, 1, max_ids)})
    if (checked.has_error())
      return checked.error();
  return {};
}

result<void> check_mcp(const plan& p) {
  if (p.timeout <= std::chrono::nanoseconds{0})
    return fail(errc::invalid, "timeout must be longer than 0s");
  if (p.sessions != 0 && (p.what != mode::mcp_http || p.use != session_use::keep))
    return fail(errc::invalid, "sessions are shared out over the connections of mcp-http that are kept only");
  if (p.sessions != 0 && p.sessions < p.connections)
    return fail(errc::invalid, "sessions is " + std::to_string(p.sessions) + ", fewer than the " +
                                   std::to_string(p.connections) + " connections");
  if (p.pipeline > 1 && p.use != session_use::keep)
    return fail(errc::invalid, std::string{to_string(p.use)} + " makes one call a session: no pipeline");
  for (const auto& [name, value] : p.headers)
    if (is_ours(name))
      return fail(errc::invalid, "header '" + name + "' is the client's own in " + to_string(p.what));
  return {};
}

}  // namespace

const char* to_string(mode what) noexcept {
  return mode_names[static_cast<std::size_t>(what)];
}

const char* to_string(session_use use) noexcept {
  return use_names[static_cast<std::size_t>(use)];
}

result<mode> parse_mode(const std::string& text, const std::string& scheme) {
  if (text.empty())
    return scheme == "ws" ? mode::ws_echo : mode::http_post;
  return named<mode>("mode", mode_names, text);
}

result<session_use> parse_session_use(const std::string& text) {
  return named<session_use>("session use", use_names, text);
}

result<std::pair<std::string, std::string>> parse_header(const std::string& text) {
  const auto colon = text.find(':');
  const auto printable = [](unsigned char c) { return c >= ' ' && c != 0x7f; };
  const auto token = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (colon == std::string::npos || colon == 0 || !std::all_of(text.begin(), text.end(), printable) ||
      !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), token))
    return fail(errc::invalid, "header '" + text + "': must be 'Name: value'");
  const auto value = std::min(text.find_first_not_of(' ', colon + 1), text.size());
  return std::pair{text.substr(0, colon), text.substr(value)};
}

result<void> complete(plan& p) {
  for (const auto& checked :
       {in_range("connections", p.connections, 1, max_connections),
        in_range("threads", p.threads, 1, max_threads), in_range("pipeline", p.pipeline, 1, max_pipeline),
        in_range("sessions", p.sessions, 0, max_sessions),
        in_range("body bytes", p.body.size(), 0, max_body_bytes)})
    if (checked.has_error())
      return checked.error();
  if (is_websocket(p.what) != (p.where.scheme == "ws"))
    return fail(errc::invalid, std::string{"mode and URL do not fit: "} + to_string(p.what) + " takes " +
                                   (is_websocket(p.what) ? "ws://" : "http://"));
  if (p.duration <= std::chrono::nanoseconds{0})
    return fail(errc::invalid, "duration must be longer than 0s");
  if (p.pipeline > 1 && !is_websocket(p.what))
    return fail(errc::invalid, "pipeline above 1 is for ws-echo and mcp-ws only");
  if (auto checked = check_work(p); checked.has_error())
    return checked.error();
  if (is_mcp(p.what)) {
    if (auto checked = check_mcp(p); checked.has_error())
      return checked.error();
    auto messages = build_messages(p.tool, p.arguments);
    if (messages.has_error())
      return messages.error();
    p.messages = std::move(*messages);
  }
  auto address = resolve(p.where);
  if (address.has_error())
    return address.error();
  p.address = *address;
  if (has_end(p.use))
    p.connections = static_cast<unsigned>(std::min<std::uint64_t>(p.connections, p.pieces()));
  p.threads = std::min(p.threads, p.connections);
  build_http(p);
  return {};
}

}  // namespace cafmcp::bench
