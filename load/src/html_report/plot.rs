//! Line plots as inline SVG.

use std::fmt::Write as _;

use super::axis::Axis;
use super::escaped;

/// Widths of a plot that fills a row and of one that shares it; a unit is a pixel on a wide screen.
const WIDE: f64 = 1070.0;
const HALF: f64 = 502.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;
/// Maximum points of a line that show their value on hover.
const HOVER_POINTS: usize = 120;

pub(super) struct Plot {
    pub(super) title: String,
    pub(super) note: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
}

pub(super) struct Series {
    pub(super) name: String,
    /// The style class of the server.
    class: &'static str,
    pub(super) faint: bool,
    pub(super) points: Vec<(f64, f64)>,
}

impl Series {
    pub(super) fn new(name: &str, class: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.to_owned(), class, faint: false, points }
    }

    fn classes(&self) -> String {
        format!("{}{}", self.class, if self.faint { " faint" } else { "" })
    }
}

impl Plot {
    pub(super) fn svg(&self, is_wide: bool) -> String {
        let width = if is_wide { WIDE } else { HALF };
        let names = self.series.iter().map(|series| {
            format!("<span class=\"server {}\"><i></i>{}</span>", series.classes(), escaped(&series.name))
        });
        let (title, note) = (escaped(&self.title), escaped(&self.note));
        let names = if self.series.len() > 1 { names.collect::<String>() } else { String::new() };
        let (grid, lines) = (self.grid(width), self.lines(width));
        let class = if is_wide { " class=\"wide\"" } else { "" };
        format!(
            "<figure{class}>\n<figcaption><h2>{title}</h2><p>{note}</p><div>{names}</div></figcaption>\n\
             <svg viewBox=\"0 0 {width} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n{grid}{lines}</svg>\n</figure>\n"
        )
    }

    fn x_of(&self, value: f64, width: f64) -> f64 {
        LEFT + self.x.position(value) * (width - LEFT - RIGHT)
    }

    fn y_of(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.position(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&self, width: f64) -> String {
        let mut grid = String::new();
        let (right, bottom) = (width - RIGHT, HEIGHT - BOTTOM);
        for (value, name) in &self.y.ticks {
            let y = self.y_of(*value);
            let _ = writeln!(
                grid,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 10.0,
                y + 4.0,
                escaped(name)
            );
        }
        for (value, name) in &self.x.ticks {
            let x = self.x_of(*value, width);
            let _ = writeln!(
                grid,
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{:.1}\"/>\
                 <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 5.0,
                bottom + 20.0,
                escaped(name)
            );
        }
        let _ = writeln!(
            grid,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\
             <text class=\"label\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            HEIGHT - 6.0,
            escaped(&self.x.label)
        );
        grid
    }

    /// Draws the second server below the first.
    fn lines(&self, width: f64) -> String {
        let mut lines = String::new();
        for series in self.series.iter().rev() {
            let points = series.points.iter().map(|(x, y)| (self.x_of(*x, width), self.y_of(*y))).collect::<Vec<_>>();
            let path = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect::<Vec<_>>().join("L");
            let classes = series.classes();
            if let (true, Some(first), Some(last)) =
                (self.y.is_from_zero() && series.class == "a", points.first(), points.last())
            {
                let bottom = HEIGHT - BOTTOM;
                let area = format!("M{:.1} {bottom}L{path}L{:.1} {bottom}Z", first.0, last.0);
                let _ = writeln!(lines, "<path class=\"area {classes}\" d=\"{area}\"/>");
            }
            let _ = writeln!(lines, "<path class=\"line {classes}\" d=\"M{path}\"/>");
        }
        for series in &self.series {
            let every = series.points.len().div_ceil(HOVER_POINTS).max(1);
            for (x, y) in series.points.iter().step_by(every) {
                let title = format!("{} · {} · {}", series.name, (self.x.format)(*x), (self.y.format)(*y));
                let (class, title) = (series.class, escaped(&title));
                let (x, y) = (self.x_of(*x, width), self.y_of(*y));
                let _ = writeln!(
                    lines,
                    "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"><title>{title}</title></circle>"
                );
            }
        }
        lines
    }
}
