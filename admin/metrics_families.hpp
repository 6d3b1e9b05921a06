#pragma once
// Prometheus families under construction, and who adds to them. Values; not thread-safe.

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <string>
#include <utility>
#include <vector>

#include "admin/metrics_page.hpp"
#include "persistence/sqlite_store.hpp"

namespace cafmcp::admin {

/// Families in the order in which they were added; values go to the last one.
class metrics_families {
 public:
  using labels = std::vector<prometheus::ClientMetric::Label>;

  void family(const char* name, const char* help, prometheus::MetricType type) {
    families_.push_back({name, help, type, {}});
  }

  void value(double number, labels with = {}) {
    prometheus::ClientMetric metric;
    metric.label = std::move(with);
    if (families_.back().type == prometheus::MetricType::Counter)
      metric.counter.value = number;
    else
      metric.gauge.value = number;
    families_.back().metric.push_back(std::move(metric));
  }

  void histogram(prometheus::ClientMetric::Histogram values, labels with) {
    prometheus::ClientMetric metric;
    metric.label = std::move(with);
    metric.histogram = std::move(values);
    families_.back().metric.push_back(std::move(metric));
  }

  void gauge(const char* name, const char* help, double number) {
    family(name, help, prometheus::MetricType::Gauge);
    value(number);
  }

  void counter(const char* name, const char* help, double number) {
    family(name, help, prometheus::MetricType::Counter);
    value(number);
  }

  std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

/// Adds what a store on disk counts (metrics_store.cpp).
void add_store(metrics_families& p, const persistence::sqlite_store& store);

/// Adds what is counted of MCP: sessions, servers, and the messages of transports (metrics_mcp.cpp).
void add_mcp(metrics_families& p, const metrics_sources& sources);

/// Adds what is counted of links to other nodes (metrics_links.cpp).
void add_links(metrics_families& p, const metrics_sources& sources);

/// Adds what this node knows of its cluster, if it has a coordinator (metrics_cluster.cpp).
void add_cluster(metrics_families& p, const metrics_sources& sources);

}  // namespace cafmcp::admin
