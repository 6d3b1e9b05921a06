#include "sdk/server.hpp"

#include "sdk/native_server.hpp"

namespace cafmcp::sdk {

server::server(std::string name, std::string version)
    : impl_(std::make_shared<detail::native_server>(std::move(name), std::move(version))) {}

const std::string& server::name() const noexcept {
  return impl_->name();
}

const std::string& server::version() const noexcept {
  return impl_->version();
}

result<void> server::tool(mcp::tool definition, handler h) {
  return impl_->add(std::move(definition), std::move(h));
}

result<void> server::tool(std::string name, std::string description, mcp::json input_schema, handler h) {
  mcp::tool definition{.name = std::move(name), .description = std::move(description)};
  definition.input_schema = std::move(input_schema);
  return impl_->add(std::move(definition), std::move(h));
}

result<void> server::resource(mcp::resource definition, handler h) {
  return impl_->add(std::move(definition), std::move(h));
}

result<void> server::resource_template(mcp::resource_template definition, handler h) {
  return impl_->add(std::move(definition), std::move(h));
}

result<void> server::prompt(mcp::prompt definition, handler h) {
  return impl_->add(std::move(definition), std::move(h));
}

result<void> server::completion(const std::string& of, const std::string& argument, completion_handler h) {
  return impl_->add_completion(of, argument, std::move(h));
}

result<void> server::remove_tool(std::string_view name) {
  return impl_->remove_tool(name);
}

result<void> server::remove_resource(std::string_view uri) {
  return impl_->remove_resource(uri);
}

result<void> server::remove_resource_template(std::string_view uri_template) {
  return impl_->remove_resource_template(uri_template);
}

result<void> server::remove_prompt(std::string_view name) {
  return impl_->remove_prompt(name);
}

void server::resource_updated(std::string uri) {
  impl_->tell(actors::resource_updated{std::move(uri)});
}

result<std::shared_ptr<actors::server>> server::attach(std::shared_ptr<blocking_pool> pool) {
  if (auto outcome = impl_->attach(std::move(pool)); !outcome)
    return std::move(outcome).error();
  return std::shared_ptr<actors::server>{impl_};
}

}  // namespace cafmcp::sdk
