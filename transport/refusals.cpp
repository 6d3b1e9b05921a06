// The texts of all refusals that do not depend on a request.
#include "transport/request_parser.hpp"

namespace cafmcp::transport::refusals {

const refusal bad_request{400, "bad_request", "this is not a valid HTTP/1.1 request; see RFC 9112"};
const refusal header_timeout{408, "header_timeout",
                             "the request headers did not arrive in time; send them at once"};
const refusal body_timeout{408, "body_timeout",
                           "the request body did not arrive in time; send it faster or in parts"};
const refusal body_too_large{413, "body_too_large",
                             "the request body is larger than limits.body_bytes; send less"};
const refusal uri_too_long{414, "uri_too_long",
                           "the request line is longer than limits.header_bytes; use the body"};
const refusal headers_too_large{431, "headers_too_large",
                                "the request headers exceed limits.header_bytes or 128 fields; send fewer"};
const refusal handler_timeout{
    504, "handler_timeout",
    "the request took longer than limits.request_timeout; it may still have had an effect"};
const refusal handler_failed{500, "internal",
                             "the handler of this request failed; the log of the node says why"};
const refusal too_many_connections{
    503, "too_many_connections",
    "this node has limits.connections open connections; retry later or elsewhere"};
const refusal too_many_from_address{503, "too_many_from_address",
                                    "your address has too many open connections to this node; close some"};
const refusal out_of_descriptors{503, "out_of_descriptors",
                                 "this node is out of file descriptors; retry later"};
const refusal draining{503, "draining", "this node is going away; connect to another one"};

}  // namespace cafmcp::transport::refusals
