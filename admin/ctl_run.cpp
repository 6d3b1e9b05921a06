#include "admin/ctl_run.hpp"

#include "admin/session_view.hpp"
#include "base/log.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

// A limit as the user wrote it, or nothing; the node says what is wrong with it.
std::string query_of(const ctl_arguments& given) {
  std::string query;
  for (const auto& [option, key] : {std::pair{"--limit", "limit"}, std::pair{"--node", "node"}})
    if (const auto i = given.options.find(option); i != given.options.end())
      query += (query.empty() ? '?' : '&') + std::string{key} + '=' + encoded(i->second);
  return query;
}

}  // namespace

std::string encoded(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (plain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += "0123456789ABCDEF"[byte >> 4];
    out += "0123456789ABCDEF"[byte & 15];
  }
  return out;
}

int ask(const ctl_session& session, const std::string& path, const json* post, json& answer,
        std::ostream& err) {
  const auto body =
      post == nullptr ? std::string{} : post->dump(-1, ' ', false, json::error_handler_t::replace);
  auto answered = send(session.target, post == nullptr ? "GET" : "POST", "/admin/api/v1/" + path, body);
  if (!answered) {
    err << "cafmcpctl: " << answered.error().message << '\n';
    return ctl_unreachable;
  }
  if (answered->status == 200) {
    answer = std::move(answered->body);
    return ctl_done;
  }
  std::string message = "HTTP " + std::to_string(answered->status);
  if (answered->body.is_object() && answered->body.contains("error") && answered->body["error"].is_object() &&
      answered->body["error"]["message"].is_string())
    message = answered->body["error"]["message"].get<std::string>();
  err << "cafmcpctl: " << log::printable(message) << '\n';
  return ctl_refused;
}

void print(const ctl_session& session, const json& answer, std::ostream& out, ctl_drawing draw) {
  if (session.json)
    out << answer.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
  else
    out << draw(answer, session.colours);
}

int show(const ctl_session& session, const std::string& path, std::ostream& out, std::ostream& err,
         ctl_drawing draw) {
  json answer;
  const int code = ask(session, path, nullptr, answer, err);
  if (code == ctl_done)
    print(session, answer, out, draw);
  return code;
}

int run_session_list(const ctl_session& session, const ctl_arguments& given, std::ostream& out,
                     std::ostream& err) {
  return show(session, "sessions" + query_of(given), out, err, draw_sessions);
}

// A list of one, as `session list` prints it.
int run_session_show(const ctl_session& session, const ctl_arguments& given, std::ostream& out,
                     std::ostream& err) {
  json answer;
  const int code = ask(session, "sessions/show?id=" + encoded(given.words[0]), nullptr, answer, err);
  if (code == ctl_done)
    print(session, json::array({answer}), out, draw_session);
  return code;
}

int run_session_kill(const ctl_session& session, const ctl_arguments& given, std::ostream& out,
                     std::ostream& err) {
  const json body{{"id", given.words[0]}};
  json answer;
  const int code = ask(session, "sessions/kill", &body, answer, err);
  if (code == ctl_done)
    print(session, answer, out, draw_killed);
  return code;
}

int run_why(const ctl_session& session, const ctl_arguments& given, std::ostream& out, std::ostream& err) {
  return show(session, "sessions/why?id=" + encoded(given.words[0]), out, err, draw_why);
}

int run_server_list(const ctl_session& session, const ctl_arguments&, std::ostream& out, std::ostream& err) {
  return show(session, "servers", out, err, draw_servers);
}

}  // namespace cafmcp::admin
