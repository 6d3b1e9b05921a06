#pragma once
// An immutable snapshot of all that is offered. It is built once, whenever an offer changes, and then read by
// every session without a lock or a message: definitions are found by name, and lists are rendered for each
// revision beforehand, so that a page is one copy out of a text. Items are in the order of their names (or
// URIs), which makes lists deterministic and cursors stable. Thread-safe after `make`. MCP: Pagination.

#include <boost/system/result.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "mcp/definitions.hpp"
#include "mcp/errors.hpp"
#include "mcp/message.hpp"

namespace cafmcp::mcp {

/// What a catalogue is made of.
struct catalogue_content {
  std::vector<tool> tools = {};
  std::vector<resource> resources = {};
  std::vector<resource_template> templates = {};
  std::vector<prompt> prompts = {};
  bool open_resources = false;  ///< resources exist that are not listed: any URI may be read
};

/// Bounds of a page; an item that is larger is a page by itself.
struct page_limits {
  std::size_t items = 1000;        ///< many clients read the first page alone
  std::size_t bytes = 768 * 1024;  ///< Python's WebSocket client takes 1 MiB
};

/// The four lists.
enum class list_kind : unsigned char { tools, resources, templates, prompts };

/// See above.
class catalogue {
 public:
  using ptr = std::shared_ptr<const catalogue>;

  /// Builds a snapshot. Errors: `invalid` for an empty name or a schema that is no object, `conflict` for a
  /// name or URI that is there twice.
  static cafmcp::result<ptr> make(catalogue_content parts, const page_limits& limits = {});

  const tool* find_tool(std::string_view name) const noexcept;
  const resource* find_resource(std::string_view uri) const noexcept;
  const resource_template* find_template(std::string_view uri_template) const noexcept;
  const prompt* find_prompt(std::string_view name) const noexcept;

  /// Whether `uri` may be read: it is listed, or a template fits, or all may.
  bool readable(std::string_view uri) const;

  /// A page as a raw result: the first, or the one behind `cursor`. Error: -32602 for a cursor that isn't
  /// ours.
  boost::system::result<std::string, rpc_error> list(list_kind kind, revision r) const;
  boost::system::result<std::string, rpc_error> list(list_kind kind, revision r,
                                                     std::string_view cursor) const;

  const catalogue_content& content() const noexcept { return content_; }

 private:
  /// One list in one revision: its items with commas between them, and where each begins.
  struct rendering {
    std::string text;
    std::vector<std::size_t> begins;  // one more than there are items; the last is text.size() + 1
  };
  /// One list: the names in order, and its renderings; revisions that read the same share one.
  struct list_data {
    std::vector<std::string_view> names;
    std::vector<std::shared_ptr<const rendering>> renderings;  // by session revision
    std::unordered_map<std::string_view, std::size_t> by_name;
  };

  catalogue(catalogue_content parts, const page_limits& limits);
  template <class T, class Name>
  cafmcp::result<void> add(list_kind kind, std::vector<T>& items, Name name);
  std::string page(list_kind kind, revision r, std::size_t first) const;
  const std::size_t* index_of(list_kind kind, std::string_view name) const noexcept;
  const list_data& data(list_kind kind) const noexcept { return lists_[static_cast<std::size_t>(kind)]; }

  catalogue_content content_;
  page_limits limits_;
  list_data lists_[4];
};

}  // namespace cafmcp::mcp
