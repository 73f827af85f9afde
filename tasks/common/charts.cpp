// Scales, ticks and shapes. Everything is drawn in a box of fixed size that the page may stretch.
#include "common/charts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <unroll/autograd/error.hpp>

#include "common/progress.hpp"

namespace tasks {
namespace {

using unroll::join;

constexpr double kWidth = 560, kHeight = 300, kLeft = 62, kRight = 12, kTop = 12, kBottom = 44;
constexpr const char* kColours[] = {"#1f6fb4", "#d8702a", "#3a8f4d", "#8b5bb5", "#b5475b", "#666"};

std::string number(double x) {
  std::string text = fixed(x, 2);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

/// With as many digits as ticks that lie `step` apart need; 0: as the number itself needs.
std::string tick_label(double x, double step) {
  if (std::abs(x) >= 10000) return count_text(x);
  if (step > 0)
    return fixed(x, std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9))));
  char text[32];
  const bool tiny = x != 0 && std::abs(x) < 0.00095;  // 5e-4 takes less room
  std::snprintf(text, sizeof text, tiny ? "%.0e" : "%.3g", x);
  std::string label = text;
  if (const auto zero = label.find("e-0"); zero != label.npos) label.erase(zero + 2, 1);
  return label;
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& text,
                    const std::string& more = "") {
  return join("<text x='", number(x), "' y='", number(y), "' text-anchor='", anchor, "'", more, ">",
              escaped(text), "</text>");
}

/// From low ... high of the data to from ... to of the picture.
struct Scale {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  double from = 0, to = 1;
  bool log = false;

  bool takes(double x) const { return std::isfinite(x) && (!log || x > 0); }
  void include(double x) {
    if (takes(x)) low = std::min(low, x), high = std::max(high, x);
  }
  /// A little room where there is none.
  void settle() {
    if (low > high) low = log ? 0.1 : 0, high = 1;
    if (low < high) return;
    if (log)
      low /= 2, high *= 2;
    else
      low -= 0.5, high += 0.5;
  }
  double operator()(double x) const {
    const double part = log ? std::log(x / low) / std::log(high / low) : (x - low) / (high - low);
    return from + part * (to - from);
  }
  struct Tick {
    double at;
    std::string label;
  };
  std::vector<Tick> ticks() const {
    constexpr std::size_t kFewest = 3;
    if (!log) return even_ticks();
    for (const std::vector<double>& factors :
         {std::vector<double>{1}, std::vector<double>{1, 2, 5}})
      if (auto all = power_ticks(factors); all.size() >= kFewest) return all;
    return even_ticks();
  }

 private:
  /// Powers of ten times each factor.
  std::vector<Tick> power_ticks(const std::vector<double>& factors) const {
    std::vector<Tick> all;
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high * 1.0001;
         power *= 10)
      for (const double factor : factors)
        if (const double at = factor * power; low * 0.9999 <= at && at <= high * 1.0001)
          all.push_back({at, tick_label(at, 0)});
    return all;
  }
  /// About five round numbers.
  std::vector<Tick> even_ticks() const {
    const double rough = (high - low) / 5, power = std::pow(10, std::floor(std::log10(rough)));
    double step = power;
    for (double factor : {2., 5., 10.})
      if (step < rough) step = factor * power;
    std::vector<Tick> all;
    for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k)
      all.push_back({k * step + 0.0, tick_label(k * step + 0.0, step)});  // 0 instead of -0
    return all;
  }
};

/// The two scales of a chart, its frame, and the shapes drawn so far.
class Canvas {
 public:
  explicit Canvas(const Axes& axes) : axes_(axes) {
    x.from = kLeft, x.to = kWidth - kRight;
    y.from = kHeight - kBottom, y.to = kTop;
    y.log = axes.log_y;
  }

  Scale x, y;

  template <class... Parts>
  void draw(const Parts&... parts) {
    shapes_ += join(parts...);
  }
  bool has(double px, double py) const { return x.takes(px) && y.takes(py); }

  std::string svg() const {
    std::string frame;
    for (const auto& [at, label] : y.ticks())
      frame += join("<path class='grid' d='M", number(x.from), " ", number(y(at)), "H",
                    number(x.to), "'/>") +
               text_at(x.from - 6, y(at) + 4, "end", label);
    for (const auto& [at, label] : x.ticks()) frame += text_at(x(at), y.from + 16, "middle", label);
    frame += text_at((x.from + x.to) / 2, kHeight - 8, "middle", axes_.x);
    frame +=
        text_at(0, 0, "middle", axes_.y,
                join(" transform='translate(14 ", number((y.from + y.to) / 2), ") rotate(-90)'"));
    return join("<svg viewBox='0 0 ", number(kWidth), " ", number(kHeight), "' role='img'>", frame,
                "<path class='axis' d='M", number(x.from), " ", number(y.to), "V", number(y.from),
                "H", number(x.to), "'/>", shapes_, "</svg>\n");
  }

 private:
  Axes axes_;
  std::string shapes_;
};

}  // namespace

std::string escaped(const std::string& text) {
  std::string safe;
  for (char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else if (c == '\'')
      safe += "&#39;";
    else
      safe += c;
  }
  return safe;
}

std::string line_chart(const std::vector<Series>& series, const Axes& axes) {
  Canvas canvas(axes);
  for (const Series& s : series)
    for (std::size_t k = 0; k < s.x.size(); ++k)
      if (canvas.has(s.x[k], s.y[k])) canvas.x.include(s.x[k]), canvas.y.include(s.y[k]);
  canvas.x.settle();
  canvas.y.settle();
  constexpr std::size_t kFew = 40;  // points that are marked
  for (std::size_t n = 0; n < series.size(); ++n) {
    const Series& s = series[n];
    const char* colour = kColours[n % std::size(kColours)];
    std::string path, dots;
    for (std::size_t k = 0; k < s.x.size(); ++k) {
      if (!canvas.has(s.x[k], s.y[k])) continue;
      const std::string px = number(canvas.x(s.x[k])), py = number(canvas.y(s.y[k]));
      path += join(path.empty() ? "M" : "L", px, " ", py);
      if (s.x.size() <= kFew) dots += join("<circle cx='", px, "' cy='", py, "' r='2.5'/>");
    }
    if (path.empty()) continue;
    canvas.draw("<path class='line' stroke='", colour, "' d='", path, "'/><g fill='", colour, "'>",
                dots, "</g>");
    if (series.size() > 1)
      canvas.draw(text_at(kWidth - kRight - 4, kTop + 14 + 16 * static_cast<double>(n), "end",
                          s.name, join(" style='fill:", colour, "'")));
  }
  return canvas.svg();
}

std::string scatter_chart(const Series& dots, const Axes& axes) {
  Canvas canvas(axes);
  for (std::size_t k = 0; k < dots.x.size(); ++k)
    for (double value : {dots.x[k], dots.y[k]}) canvas.x.include(value), canvas.y.include(value);
  canvas.x.settle();
  canvas.y.settle();
  canvas.draw("<path class='grid' d='M", number(canvas.x.from), " ", number(canvas.y.from), "L",
              number(canvas.x.to), " ", number(canvas.y.to), "'/><g class='dots'>");
  for (std::size_t k = 0; k < dots.x.size(); ++k)
    if (canvas.has(dots.x[k], dots.y[k]))
      canvas.draw("<circle cx='", number(canvas.x(dots.x[k])), "' cy='",
                  number(canvas.y(dots.y[k])), "' r='3'/>");
  canvas.draw("</g>");
  return canvas.svg();
}

std::string histogram(const std::vector<double>& values, const Axes& axes) {
  constexpr double kMost = 30;
  Canvas canvas(axes);
  Scale& x = canvas.x;
  bool whole = true;  // numbers: a bar stands for one or several of them
  for (double value : values) {
    x.include(value);
    whole = whole && (!x.takes(value) || value == std::floor(value));
  }
  double bars = kMost;
  if (whole && x.low <= x.high) {
    const double range = x.high - x.low + 1, each = std::ceil(range / kMost);
    bars = std::ceil(range / each);
    x.low -= 0.5;
    x.high = x.low + bars * each;
  }
  x.settle();
  std::vector<double> counts(static_cast<std::size_t>(bars));
  for (double value : values)
    if (x.takes(value))
      ++counts[std::min(counts.size() - 1,
                        static_cast<std::size_t>((value - x.low) / (x.high - x.low) * bars))];
  canvas.y.include(0);
  for (double count : counts) canvas.y.include(count);
  canvas.y.settle();
  const double width = (x.to - x.from) / bars;
  for (std::size_t k = 0; k < counts.size(); ++k)
    canvas.draw("<rect class='bar' x='", number(x.from + static_cast<double>(k) * width + 0.5),
                "' y='", number(canvas.y(counts[k])), "' width='", number(width - 1), "' height='",
                number(canvas.y.from - canvas.y(counts[k])), "'/>");
  return canvas.svg();
}

std::string matrix_chart(const std::vector<std::string>& names,
                         const std::vector<std::vector<Size>>& counts, const Axes& axes) {
  const std::size_t n = names.size();
  bool square = counts.size() == n;
  for (const auto& row : counts) square = square && row.size() == n;
  if (!square) unroll::fail("matrix_chart", "expected ", n, " rows of ", n, " numbers.");
  constexpr double kCell = 40, kFrom = 90, kAir = 8;
  std::size_t longest = 0;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  const bool upright = longest > 5;  // names that would run into each other
  const double top = upright ? 110 : 44, side = kCell * static_cast<double>(n);
  std::string svg = join("<svg viewBox='0 0 ", number(kFrom + side), " ", number(top + side),
                         "' role='img' style='max-width:", number(kFrom + side), "px'>");
  const auto turned = [](double x, double y) {
    return join(" transform='translate(", number(x), " ", number(y), ") rotate(-90)'");
  };
  svg += text_at(kFrom + side / 2, 14, "middle", axes.x);
  svg += text_at(0, 0, "middle", axes.y, turned(12, top + side / 2));
  for (std::size_t i = 0; i < n; ++i) {
    const double before = kCell * static_cast<double>(i), middle = before + kCell / 2;
    svg += text_at(kFrom - kAir, top + middle + 4, "end", names[i]);
    svg += upright ? text_at(0, 0, "start", names[i], turned(kFrom + middle + 4, top - kAir))
                   : text_at(kFrom + middle, top - kAir, "middle", names[i]);
    Size total = 0;
    for (Size count : counts[i]) total += count;
    for (std::size_t j = 0; j < n; ++j) {
      const double part = total == 0 ? 0 : double(counts[i][j]) / double(total);
      const double left = kFrom + kCell * static_cast<double>(j);
      svg += join("<rect x='", number(left), "' y='", number(top + before), "' width='", kCell - 1,
                  "' height='", kCell - 1, "' fill='#1f6fb4' fill-opacity='",
                  number(0.04 + 0.96 * part), "'/>");
      if (counts[i][j] > 0)
        svg += text_at(left + kCell / 2, top + middle + 4, "middle",
                       count_text(double(counts[i][j])), part > 0.5 ? " style='fill:#fff'" : "");
    }
  }
  return svg + "</svg>\n";
}

}  // namespace tasks
