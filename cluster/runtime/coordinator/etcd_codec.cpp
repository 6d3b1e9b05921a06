#include "cluster/runtime/coordinator/etcd_codec.hpp"

#include <charconv>

#include "cluster/runtime/coordinator/base64.hpp"

namespace cafmcp::cluster {

using nlohmann::json;

namespace {

const json* member(const json& object, const char* name) {
  const auto i = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && i != object.end() ? &*i : nullptr;
}

/// 0 if it isn't there, nothing if it is something else.
std::optional<std::int64_t> integer(const json& object, const char* name) {
  const auto* value = member(object, name);
  if (value == nullptr)
    return 0;
  if (value->is_number_integer())
    return value->get<std::int64_t>();
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr)
    return std::nullopt;
  std::int64_t out = 0;
  const auto* const last = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), last, out);
  if (parsed.ec != std::errc{} || parsed.ptr != last)
    return std::nullopt;
  return out;
}

bool flag(const json& object, const char* name) {
  const auto* value = member(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::string text(const json& object, const char* name) {
  const auto* value = member(object, name);
  const auto* found = value != nullptr ? value->get_ptr<const std::string*>() : nullptr;
  return found != nullptr ? *found : std::string{};
}

std::optional<std::string> bytes(const json& object, const char* name) {
  const auto* value = member(object, name);
  if (value == nullptr)
    return std::string{};
  const auto* found = value->get_ptr<const std::string*>();
  return found != nullptr ? from_base64(*found) : std::nullopt;
}

std::optional<fact> parse_fact(const json& kv) {
  auto key = bytes(kv, "key");
  auto value = bytes(kv, "value");
  const auto created = integer(kv, "create_revision");
  const auto modified = integer(kv, "mod_revision");
  if (!key || key->empty() || !value || !created || !modified || *modified <= 0)
    return std::nullopt;
  return fact{std::move(*key), std::move(*value), *created, *modified};
}

std::optional<fact_event> parse_event(const json& event) {
  const auto* kv = member(event, "kv");
  auto what = kv != nullptr ? parse_fact(*kv) : std::nullopt;
  const auto type = text(event, "type");
  if (!what || !(type.empty() || type == "PUT" || type == "DELETE"))
    return std::nullopt;
  return fact_event{type == "DELETE", std::move(*what)};
}

/// Whether etcd has refused, so that nothing has happened: by a message of its own, and not by one of those
/// that say that it has lost sight of a request.
bool surely_refused(std::string_view message, std::int64_t code) {
  constexpr std::string_view codes_of_refusals{"\x03\x05\x07\x08\x09\x0b\x10"};
  return message.starts_with("etcdserver: ") && code > 0 && code < 32 &&
         codes_of_refusals.find(static_cast<char>(code)) != std::string_view::npos;
}

std::string dumped(const json& request) {
  return request.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

etcd_reply::kind meaning_of(std::string_view message, std::int64_t code) {
  using kind = etcd_reply::kind;
  if (message == "etcdserver: mvcc: required revision has been compacted")
    return kind::compacted;
  // With `hasleader` a member without one says so before it begins anything.
  if (message == "etcdserver: no leader" || message == "etcdserver: too many requests" ||
      message == "etcdserver: rpc not supported for learner")
    return kind::not_now;
  if (message == "etcdserver: invalid auth token" || message == "etcdserver: user name is empty" ||
      message == "etcdserver: revision of auth store is old")
    return kind::login;
  return surely_refused(message, code) ? kind::denied : kind::maybe;
}

etcd_reply classify(unsigned status, std::string_view body) {
  using kind = etcd_reply::kind;
  auto answer = json::parse(body, nullptr, false);
  const auto* error = member(answer, "error");
  if (status == 200 && answer.is_object() && error == nullptr)
    return {kind::done, std::move(answer)};
  const auto* whole = error != nullptr && error->is_object() ? error : &answer;
  const auto message = text(*whole, "message");
  const auto code = integer(*whole, whole == error ? "grpc_code" : "code").value_or(0);
  if (!message.empty())
    return {meaning_of(message, code), {}, message};
  return {kind::maybe, {}, "not an answer of etcd's gateway (HTTP status " + std::to_string(status) + ')'};
}

std::optional<etcd_header> parse_header(const json& answer) {
  const auto* header = member(answer, "header");
  if (header == nullptr)
    return std::nullopt;
  const auto at = integer(*header, "revision");
  if (!at || *at < 0)
    return std::nullopt;
  return etcd_header{text(*header, "cluster_id"), *at};
}

std::optional<etcd_range> parse_range(const json& answer) {
  auto header = parse_header(answer);
  const auto count = integer(answer, "count");
  const auto* kvs = member(answer, "kvs");
  if (!header || header->at == 0 || !count || (kvs != nullptr && !kvs->is_array()))
    return std::nullopt;
  etcd_range out{std::move(*header), {}, flag(answer, "more"), *count};
  if (kvs == nullptr)
    return out;
  out.facts.reserve(kvs->size());
  for (const auto& kv : *kvs) {
    auto f = parse_fact(kv);
    if (!f)
      return std::nullopt;
    out.facts.push_back(std::move(*f));
  }
  return out;
}

std::optional<etcd_watch_message> parse_watch(std::string_view line) {
  const auto whole = json::parse(line, nullptr, false);
  etcd_watch_message out;
  if (const auto* error = member(whole, "error")) {
    out.why = error->is_object() ? text(*error, "message") : text(whole, "message");
    const auto code = error->is_object() ? integer(*error, "grpc_code") : integer(whole, "code");
    out.meaning = meaning_of(out.why, code.value_or(0));
    out.canceled = true;
    return out;
  }
  const auto* result = member(whole, "result");
  auto header = result != nullptr ? parse_header(*result) : std::nullopt;
  if (!header)
    return std::nullopt;
  const auto compacted = integer(*result, "compact_revision");
  const auto* events = member(*result, "events");
  if (!compacted || (events != nullptr && !events->is_array()))
    return std::nullopt;
  out.header = std::move(*header);
  out.created = flag(*result, "created");
  out.canceled = flag(*result, "canceled");
  out.compacted = *compacted;
  out.why = text(*result, "cancel_reason");
  if (events == nullptr)
    return out;
  out.events.reserve(events->size());
  for (const auto& event : *events) {
    auto e = parse_event(event);
    if (!e || (!out.events.empty() && e->what.modified < out.events.back().what.modified))
      return std::nullopt;
    out.events.push_back(std::move(*e));
  }
  return out;
}

std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff')
    prefix.pop_back();
  if (prefix.empty())
    return std::string(1, '\0');
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1U);
  return prefix;
}

namespace {

json keys_under(const std::string& prefix, const std::string& from) {
  const auto first = !from.empty() ? from : !prefix.empty() ? prefix : std::string(1, '\0');
  return {{"key", to_base64(first)}, {"range_end", to_base64(end_of_prefix(prefix))}};
}

}  // namespace

std::string range_request(const std::string& prefix, const std::string& from, std::size_t limit,
                          revision at) {
  auto out = keys_under(prefix, from);
  out["limit"] = std::to_string(limit);
  if (at != 0)
    out["revision"] = std::to_string(at);
  return dumped(out);
}

std::string newest_request(const std::string& prefix) {
  auto out = keys_under(prefix, {});
  out["limit"] = "1";
  out["keys_only"] = true;
  out["sort_target"] = "MOD";
  out["sort_order"] = "DESCEND";
  return dumped(out);
}

std::string transaction_request(const transaction& what) {
  auto when = json::array();
  for (const auto& c : what.when)
    when.push_back({{"key", to_base64(c.key)},
                    {"target", "MOD"},
                    {"result", "EQUAL"},
                    {"mod_revision", std::to_string(c.modified)}});
  auto then = json::array();
  for (const auto& c : what.then) {
    if (c.what == change::kind::erase) {
      then.push_back({{"request_delete_range", {{"key", to_base64(c.key)}}}});
      continue;
    }
    then.push_back({{"request_put", {{"key", to_base64(c.key)}, {"value", to_base64(c.value)}}}});
  }
  return dumped({{"compare", std::move(when)}, {"success", std::move(then)}});
}

std::string watch_request(const std::string& prefix, revision from) {
  auto create = keys_under(prefix, {});
  create["start_revision"] = std::to_string(from);
  create["progress_notify"] = true;
  return dumped({{"create_request", std::move(create)}});
}

std::string login_request(const std::string& user, const std::string& password) {
  return dumped({{"name", user}, {"password", password}});
}

}  // namespace cafmcp::cluster
