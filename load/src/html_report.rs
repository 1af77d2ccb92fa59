//! The report as one HTML page that needs no network, no script and no other file.

mod axis;
mod plot;

use std::fmt::Write as _;

use axis::{Axis, bytes_of_mib, count, duration_of_us, percent, seconds};
use plot::{Plot, Series};

use super::report::{LoadReport, Sample, ServerReport};
use super::table::short;

const STYLE: &str = include_str!("html_report/style.css");

/// Returns the whole page.
pub(super) fn html(run: &LoadReport) -> String {
    let title = format!("rogerrat load {}", run.scenario);
    let (head, tiles, plots) = (head(run), tiles(run), plots(run));
    let (table, footer) = (table(run), footer(run));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{head}{tiles}{plots}{table}{footer}</main>\n</body>\n</html>\n"
    )
}

/// Escapes a text for elements and attributes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn head(run: &LoadReport) -> String {
    let (class, verdict) = match (run.is_clean(), run.interrupted) {
        (true, false) => ("good", "Every message arrived once, in order, at its recipient."),
        (true, true) => ("good", "Interrupted. Until then every message arrived once, in order, at its recipient."),
        (false, _) => {
            ("bad", "Not clean: messages were lost, duplicated, out of order or misdelivered, or requests failed.")
        }
    };
    let servers = run.servers.iter().enumerate().map(|(index, server)| {
        let (class, name, url) = (class_of(index), escaped(&server.name), escaped(&server.url));
        format!("<span class=\"server {class}\"><i></i>{name} <small>{url}</small></span>")
    });
    format!(
        "<header>\n<p class=\"kicker\">rogerrat load · {}</p>\n<h1>{}</h1>\n<p class=\"verdict {class}\">{verdict}</p>\n\
         <p class=\"servers\">{}</p>\n</header>\n",
        run.scenario,
        escaped(&run.summary),
        servers.collect::<String>()
    )
}

/// Returns the style class of a server, which sets its colour in all plots and tables.
fn class_of(index: usize) -> &'static str {
    if index == 0 { "a" } else { "b" }
}

/// The most important results.
fn tiles(run: &LoadReport) -> String {
    let Some(server) = run.servers.first() else { return String::new() };
    let mut tiles = vec![(count(server.per_second), format!("{} per second", run.units))];
    if server.count > 0 {
        tiles.push((duration_of_us(server.latency_us.p50 as f64), "median latency".to_owned()));
        tiles.push((duration_of_us(server.latency_us.p99 as f64), "99th percentile".to_owned()));
    }
    if let Some(cpu_us) = server.server_cpu_us_each {
        tiles.push((duration_of_us(cpu_us), format!("CPU per {}", run.unit)));
    }
    for fact in server.facts.iter().filter(|fact| !fact.unit.is_empty()).take(3) {
        tiles.push((format!("{} {}", short(fact.value), fact.unit), fact.label.to_owned()));
    }
    if let (Some(ratio), [first, second, ..]) = (run.ratios.first(), &run.servers[..]) {
        let label = format!("{}, {} to {}", ratio.label, first.name, second.name);
        tiles.push((format!("{:.2} : 1", ratio.value), label));
    }
    let tiles = tiles
        .into_iter()
        .map(|(value, label)| format!("<div><b>{}</b><span>{}</span></div>\n", escaped(&value), escaped(&label)));
    format!("<section class=\"tiles\">\n{}</section>\n", tiles.collect::<String>())
}

fn plots(run: &LoadReport) -> String {
    let rate = over_time(run, &format!("{} per second", run.units), count, |sample| Some(sample.per_second));
    let rate = rate.filter(|plot| ys(&plot.series).any(|value| value > 0.0));
    let cpu = over_time(run, "CPU of the server", percent, |sample| sample.cpu_percent);
    let latency = [percentiles(run), latency_over_time(run)];
    // Scenarios about memory show it first.
    let plots = match run.population {
        "agents" => [rate].into_iter().chain(latency).chain([memory(run), cpu]).collect::<Vec<_>>(),
        _ => [memory(run), rate].into_iter().chain(latency).chain([cpu]).collect(),
    };
    let plots = plots.into_iter().flatten().collect::<Vec<_>>();
    let is_wide = |index: usize| index == 0 || (index + 1 == plots.len() && index % 2 == 1);
    let drawn = plots.iter().enumerate().map(|(index, plot)| plot.svg(is_wide(index))).collect::<String>();
    format!("<section class=\"plots\">\n{drawn}</section>\n")
}

type Value = fn(&Sample) -> Option<f64>;

fn series(run: &LoadReport, value: impl Fn(&Sample) -> Option<(f64, f64)>) -> Vec<Series> {
    let of = |(index, server): (usize, &ServerReport)| {
        let points = server.samples.iter().filter_map(&value).collect();
        Series::new(&server.name, class_of(index), points)
    };
    run.servers.iter().enumerate().map(of).filter(|series| series.points.len() > 1).collect()
}

fn over_time(run: &LoadReport, label: &str, format: fn(f64) -> String, value: Value) -> Option<Plot> {
    let series = series(run, |sample| Some((measured_s(run, sample)?, value(sample)?)));
    let x = Axis::linear("seconds of measurement", xs(&series), seconds, false)?;
    let y = Axis::linear("", ys(&series), format, true)?;
    Some(Plot { title: capital(label), note: "over time".to_owned(), x, y, series })
}

/// Returns the seconds since the start of the window, for a sample within it.
fn measured_s(run: &LoadReport, sample: &Sample) -> Option<f64> {
    let samples = run.servers.iter().flat_map(|server| &server.samples);
    let first = samples.filter(|sample| sample.measured).map(|sample| sample.at_s).reduce(f64::min)?;
    Some(sample.at_s - first).filter(|_| sample.measured)
}

fn percentiles(run: &LoadReport) -> Option<Plot> {
    let of = |(index, server): (usize, &ServerReport)| {
        let points = server.curve.iter().map(|(rarity, us)| (*rarity, *us as f64)).collect();
        Series::new(&server.name, class_of(index), points)
    };
    let series: Vec<_> = run.servers.iter().enumerate().map(of).filter(|series| series.points.len() > 1).collect();
    let x = Axis::percentiles("of all operations are as fast or faster", xs(&series))?;
    let y = Axis::log("latency", ys(&series), duration_of_us)?;
    let note = format!("from the intended time to the end of the {}", run.unit);
    Some(Plot { title: "Latency".to_owned(), note, x, y, series })
}

fn latency_over_time(run: &LoadReport) -> Option<Plot> {
    let point = |sample: &Sample, us: u64| Some((measured_s(run, sample)?, us as f64)).filter(|_| us > 0);
    let mut all = series(run, |sample| point(sample, sample.p99_us));
    for series in &mut all {
        series.name += " p99";
    }
    let mut median = series(run, |sample| point(sample, sample.p50_us));
    for series in &mut median {
        series.name += " p50";
        series.faint = true;
    }
    all.extend(median);
    let x = Axis::linear("seconds of measurement", xs(&all), seconds, false)?;
    let y = Axis::log("latency", ys(&all), duration_of_us)?;
    let note = "median and 99th percentile".to_owned();
    Some(Plot { title: "Latency over time".to_owned(), note, x, y, series: all })
}

/// Plots the memory over the population if it was sampled while it grew, otherwise over time.
fn memory(run: &LoadReport) -> Option<Plot> {
    const MIN_POINTS: usize = 4;
    let mib: Value = |sample| sample.rss_kib.map(|kib| kib as f64 / 1024.0);
    let growing = |server: &ServerReport| {
        let mut grown = server.samples.iter().map(|sample| sample.population).collect::<Vec<_>>();
        grown.dedup();
        grown.len() >= MIN_POINTS
    };
    if !run.servers.iter().all(growing) {
        return over_time(run, "Memory of the server", bytes_of_mib, mib);
    }
    let mut series = series(run, |sample| Some((sample.population as f64, mib(sample)?)));
    for series in &mut series {
        // Of several samples with the same population the last one counts.
        series.points.reverse();
        series.points.dedup_by_key(|point| point.0);
        series.points.reverse();
    }
    let x = Axis::linear(run.population, xs(&series), count, true)?;
    let y = Axis::linear("resident memory", ys(&series), bytes_of_mib, true)?;
    let note = format!("over {}", run.population);
    Some(Plot { title: "Memory of the server".to_owned(), note, x, y, series })
}

fn xs(series: &[Series]) -> impl Iterator<Item = f64> {
    series.iter().flat_map(|series| series.points.iter().map(|point| point.0))
}

fn ys(series: &[Series]) -> impl Iterator<Item = f64> {
    series.iter().flat_map(|series| series.points.iter().map(|point| point.1))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A table of all results with a column per server.
fn table(run: &LoadReport) -> String {
    let mut rows = String::new();
    let mut row = |label: &str, value: &dyn Fn(&ServerReport) -> Option<String>| {
        let cells = run.servers.iter().map(value).collect::<Vec<_>>();
        if cells.iter().any(Option::is_some) {
            let cells = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell.as_deref().unwrap_or("–"))));
            let _ = writeln!(rows, "<tr><th>{}</th>{}</tr>", escaped(label), cells.collect::<String>());
        }
    };
    let us = |us: u64| Some(duration_of_us(us as f64));
    row(&capital(run.units), &|server| Some(axis::grouped(server.count)));
    row("Measured", &|server| Some(duration_of_us(server.seconds * 1e6)));
    row(&format!("{} per second", capital(run.units)), &|server| Some(axis::grouped(server.per_second.round() as u64)));
    row("Latency p50", &|server| us(server.latency_us.p50));
    row("p90", &|server| us(server.latency_us.p90));
    row("p99", &|server| us(server.latency_us.p99));
    row("p99.9", &|server| us(server.latency_us.p999));
    row("slowest", &|server| us(server.latency_us.max));
    row("Response to a send, p50", &|server| us(server.answer_us.as_ref()?.p50));
    row("p99", &|server| us(server.answer_us.as_ref()?.p99));
    let each = format!("per {}", run.unit);
    row(&format!("CPU of the server {each}"), &|server| server.server_cpu_us_each.map(duration_of_us));
    row("CPU of the server, of one core", &|server| server.server_cpu_percent.map(percent));
    row(&format!("CPU of the load tool {each}"), &|server| server.loader_cpu_us_each.map(duration_of_us));
    row("Memory before", &|server| server.rss_before_kib.map(|kib| bytes_of_mib(kib as f64 / 1024.0)));
    row("Memory after", &|server| server.rss_after_kib.map(|kib| bytes_of_mib(kib as f64 / 1024.0)));
    for fact in run.servers.first().map(|server| &server.facts[..]).unwrap_or_default() {
        let found = |server: &ServerReport| server.facts.iter().find(|other| other.key == fact.key).cloned();
        row(&capital(fact.label), &|server| found(server).map(|fact| format!("{} {}", short(fact.value), fact.unit)));
    }
    row("Lost", &|server| Some(axis::grouped(server.order_errors.lost)));
    row("Duplicated", &|server| Some(axis::grouped(server.order_errors.doubled)));
    row("Out of order", &|server| Some(axis::grouped(server.order_errors.reordered)));
    row("Misdelivered", &|server| Some(axis::grouped(server.order_errors.strayed)));
    row("Errors", &|server| Some(axis::grouped(server.errors.values().sum())));
    let names = run
        .servers
        .iter()
        .enumerate()
        .map(|(index, server)| format!("<th class=\"{}\">{}</th>", class_of(index), escaped(&server.name)));
    let names = names.collect::<String>();
    format!(
        "<section class=\"table\">\n<table>\n<thead><tr><th></th>{names}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n{}{}</section>\n",
        ratios(run),
        errors(run)
    )
}

fn ratios(run: &LoadReport) -> String {
    let [first, second, ..] = &run.servers[..] else { return String::new() };
    let mut rows = String::new();
    for ratio in &run.ratios {
        let quartiles = ratio.quartiles.map(|(low, high)| format!("{low:.2} – {high:.2}")).unwrap_or_default();
        let label = if ratio.label.starts_with('p') { ratio.label.clone() } else { capital(&ratio.label) };
        let (label, value) = (escaped(&label), ratio.value);
        let _ = writeln!(rows, "<tr><th>{label}</th><td>{value:.2} : 1</td><td class=\"quiet\">{quartiles}</td></tr>");
    }
    let (first, second) = (escaped(&first.name), escaped(&second.name));
    format!(
        "<table>\n<thead><tr><th></th><th>{first} : {second}</th><th class=\"quiet\">middle half of the slices</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n"
    )
}

fn errors(run: &LoadReport) -> String {
    let texts = run.servers.iter().flat_map(|server| &server.first_errors);
    let lines = texts.map(|text| format!("<li>{}</li>\n", escaped(text))).collect::<String>();
    if lines.is_empty() { lines } else { format!("<ul class=\"errors\">\n{lines}</ul>\n") }
}

fn footer(run: &LoadReport) -> String {
    let machine = &run.machine;
    format!(
        "<footer>\n<pre>{}</pre>\n<p>{} · {} cores shared by server and load tool · Linux {} · rogerrat {}</p>\n</footer>\n",
        escaped(&run.command),
        escaped(&machine.cpu),
        machine.cores,
        escaped(&machine.kernel),
        machine.version
    )
}

#[cfg(test)]
mod tests;
