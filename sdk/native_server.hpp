#pragma once
// A server made of handlers, as the registry knows it: what `sdk::server` is a handle of. Not for users.
// Thread-safe. Calls that run keep what they run, so that it may be removed meanwhile.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/server.hpp"
#include "sdk/blocking_pool.hpp"
#include "sdk/running_call.hpp"
#include "sdk/uri_pattern.hpp"

namespace cafmcp::sdk::detail {

/// See above.
class native_server final : public actors::server {
 public:
  /// Most entries of each list.
  static constexpr std::size_t max_offers = 10'000;

  native_server(std::string name, std::string version);

  const std::string& name() const noexcept override { return name_; }
  const char* kind() const noexcept override { return "native"; }
  mcp::catalogue_content offers() const override;
  void run(actors::request_ptr what) override;
  void watch(std::function<void(actors::server_event)> listener) override;

  const std::string& version() const noexcept { return version_; }

  result<void> add(mcp::tool definition, handler h);
  result<void> add(mcp::resource definition, handler h);
  result<void> add(mcp::resource_template definition, handler h);
  result<void> add(mcp::prompt definition, handler h);
  result<void> add_completion(const std::string& of, const std::string& argument, completion_handler h);

  result<void> remove_tool(std::string_view name);
  result<void> remove_resource(std::string_view uri);
  result<void> remove_resource_template(std::string_view uri_template);
  result<void> remove_prompt(std::string_view name);

  result<void> attach(std::shared_ptr<blocking_pool> pool);
  void tell(actors::server_event event) const;

 private:
  template <class Definition>
  struct item {
    Definition definition;
    offer_ptr called;
    uri_pattern pattern = {};  // of templates
  };
  template <class Definition>
  using table = std::map<std::string, item<Definition>, std::less<>>;

  /// What a call runs, with its arguments; no offer: there is nothing to run, and it was answered.
  struct prepared {
    offer_ptr called;
    json arguments;
  };
  prepared prepare(actors::request& r) const;
  prepared prepare_tool(actors::request& r) const;
  prepared prepare_resource(actors::request& r) const;
  prepared prepare_named(actors::request& r) const;
  offer_ptr find_named(const mcp::call& c, const json& arguments) const;
  void start_blocking(std::shared_ptr<running_call> running, offer_ptr called) const;

  template <class Definition>
  result<void> put(table<Definition>& into, const std::string& key, item<Definition> what);
  template <class Definition>
  result<void> take(table<Definition>& from, std::string_view key, const char* kind);
  result<void> noted(const std::string& label, result<void> outcome);
  void forget_completions(std::string_view of);
  std::shared_ptr<blocking_pool> pool() const;

  const std::string name_;
  const std::string version_;
  mutable std::mutex mutex_;  // of all below
  table<mcp::tool> tools_;
  table<mcp::resource> resources_;
  table<mcp::resource_template> templates_;
  table<mcp::prompt> prompts_;
  std::map<std::pair<std::string, std::string>, offer_ptr> completions_;
  std::string faults_;  // of the time before `attach`
  std::shared_ptr<blocking_pool> pool_;
  std::shared_ptr<const std::function<void(actors::server_event)>> listener_;
};

}  // namespace cafmcp::sdk::detail
