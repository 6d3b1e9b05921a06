#include "sdk/native_server.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace cafmcp::sdk::detail {

namespace {

bool is_server_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

template <bool Completion>
offer_ptr make_offer(offer_info info, basic_handler<Completion> h, argument_check check = {}) {
  return std::make_shared<const offer>(offer{.info = std::make_shared<const offer_info>(std::move(info)),
                                             .check = std::move(check),
                                             .runs = h.runs,
                                             .invoke = std::move(h.invoke)});
}

}  // namespace

native_server::native_server(std::string name, std::string version)
    : name_(std::move(name)), version_(std::move(version)) {
  if (!is_server_name(name_))
    faults_ = "a server's name must be 1 to 63 of A-Z a-z 0-9 _ . -";
}

mcp::catalogue_content native_server::offers() const {
  mcp::catalogue_content out;
  const std::lock_guard lock{mutex_};
  const auto copy = [](const auto& from, auto& to) {
    to.reserve(from.size());
    for (const auto& [key, what] : from)
      to.push_back(what.definition);
  };
  copy(tools_, out.tools);
  copy(resources_, out.resources);
  copy(templates_, out.templates);
  copy(prompts_, out.prompts);
  return out;
}

void native_server::watch(std::function<void(actors::server_event)> listener) {
  using shared = std::function<void(actors::server_event)>;
  auto next = listener ? std::make_shared<const shared>(std::move(listener)) : nullptr;
  const std::lock_guard lock{mutex_};
  listener_.swap(next);  // the one before is destroyed outside of the lock
}

void native_server::tell(actors::server_event event) const {
  auto listener = [&] {
    const std::lock_guard lock{mutex_};
    return listener_;
  }();
  if (listener != nullptr)
    (*listener)(std::move(event));
}

std::shared_ptr<blocking_pool> native_server::pool() const {
  const std::lock_guard lock{mutex_};
  return pool_;
}

// Keeps faults of the time before `attach`, so that they can't be overlooked; later they are logged.
result<void> native_server::noted(const std::string& label, result<void> outcome) {
  if (outcome) {
    tell(actors::offers_changed{});
    return outcome;
  }
  auto e = std::move(outcome).error();
  e.message = label + ": " + e.message;
  {
    const std::lock_guard lock{mutex_};
    if (pool_ == nullptr) {
      faults_ += (faults_.empty() ? "" : "; ") + e.message;
      return e;
    }
  }
  log::get("sdk").warn("refused", {{"server", name_}, {"why", e.message}});
  return e;
}

template <class Definition>
result<void> native_server::put(table<Definition>& into, const std::string& key, item<Definition> what) {
  if (key.empty())
    return fail(errc::invalid, "its name is empty");
  const std::lock_guard lock{mutex_};
  if (into.contains(key))
    return fail(errc::conflict, "there is one already");
  if (into.size() >= max_offers)
    return fail(errc::overloaded, "there are " + std::to_string(max_offers) + " already");
  into.emplace(key, std::move(what));
  return {};
}

template <class Definition>
result<void> native_server::take(table<Definition>& from, std::string_view key, const char* kind) {
  typename table<Definition>::node_type gone;  // destroyed outside of the lock: handlers own what they like
  {
    const std::lock_guard lock{mutex_};
    if (const auto at = from.find(key); at != from.end())
      gone = from.extract(at);
  }
  if (gone.empty())
    return fail(errc::not_found, "there is no " + std::string(kind) + " " + std::string(key));
  tell(actors::offers_changed{});
  return {};
}

result<void> native_server::add(mcp::tool definition, handler h) {
  const auto label = "tool " + definition.name;
  auto check = argument_check::compile(definition.input_schema, name_, definition.name);
  if (!check)
    return noted(label, std::move(check).error());
  if (!definition.output_schema.is_null() &&
      (!definition.output_schema.is_object() || definition.output_schema.value("type", "") != "object"))
    return noted(label, fail(errc::invalid, R"(the output schema must have "type": "object")"));
  auto called = make_offer({.server = name_, .label = label}, std::move(h), std::move(*check));
  const auto key = definition.name;
  return noted(label, put(tools_, key, {std::move(definition), std::move(called)}));
}

result<void> native_server::add(mcp::resource definition, handler h) {
  const auto label = "resource " + definition.uri;
  if (definition.name.empty())
    definition.name = definition.uri;
  auto called =
      make_offer({.server = name_, .label = label, .mime_type = definition.mime_type}, std::move(h));
  const auto key = definition.uri;
  return noted(label, put(resources_, key, {std::move(definition), std::move(called)}));
}

result<void> native_server::add(mcp::resource_template definition, handler h) {
  const auto label = "resource template " + definition.uri_template;
  auto pattern = uri_pattern::compile(definition.uri_template);
  if (!pattern)
    return noted(label, std::move(pattern).error());
  if (definition.name.empty())
    definition.name = definition.uri_template;
  auto called =
      make_offer({.server = name_, .label = label, .mime_type = definition.mime_type}, std::move(h));
  const auto key = definition.uri_template;
  return noted(label, put(templates_, key, {std::move(definition), std::move(called), std::move(*pattern)}));
}

result<void> native_server::add(mcp::prompt definition, handler h) {
  const auto label = "prompt " + definition.name;
  auto called =
      make_offer({.server = name_, .label = label, .description = definition.description}, std::move(h));
  const auto key = definition.name;
  return noted(label, put(prompts_, key, {std::move(definition), std::move(called)}));
}

result<void> native_server::add_completion(const std::string& of, const std::string& argument,
                                           completion_handler h) {
  const auto label = "completion of " + argument + " of " + of;
  auto called = make_offer({.server = name_, .label = label}, std::move(h));
  auto outcome = [&]() -> result<void> {
    const std::lock_guard lock{mutex_};
    if (!prompts_.contains(of) && !templates_.contains(of))
      return fail(errc::not_found, "there is no such prompt or resource template");
    if (completions_.size() >= max_offers)
      return fail(errc::overloaded, "there are " + std::to_string(max_offers) + " already");
    if (!completions_.try_emplace({of, argument}, std::move(called)).second)
      return fail(errc::conflict, "there is one already");
    return {};
  }();
  return noted(label, std::move(outcome));
}

void native_server::forget_completions(std::string_view of) {
  decltype(completions_) gone;
  const std::lock_guard lock{mutex_};
  for (auto at = completions_.begin(); at != completions_.end();)
    if (at->first.first == of)
      gone.insert(completions_.extract(at++));
    else
      ++at;
}

result<void> native_server::remove_tool(std::string_view name) {
  return take(tools_, name, "tool");
}

result<void> native_server::remove_resource(std::string_view uri) {
  return take(resources_, uri, "resource");
}

result<void> native_server::remove_resource_template(std::string_view uri_template) {
  auto outcome = take(templates_, uri_template, "resource template");
  if (outcome)
    forget_completions(uri_template);
  return outcome;
}

result<void> native_server::remove_prompt(std::string_view name) {
  auto outcome = take(prompts_, name, "prompt");
  if (outcome)
    forget_completions(name);
  return outcome;
}

result<void> native_server::attach(std::shared_ptr<blocking_pool> pool) {
  const std::lock_guard lock{mutex_};
  if (pool == nullptr)
    return fail(errc::invalid, "it needs a pool for its blocking handlers");
  if (pool_ != nullptr)
    return fail(errc::conflict, "it runs in a node already");
  if (!faults_.empty())
    return fail(errc::invalid, faults_);
  pool_ = std::move(pool);
  return {};
}

}  // namespace cafmcp::sdk::detail
