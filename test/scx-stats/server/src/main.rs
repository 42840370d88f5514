// SPDX-License-Identifier: GPL-2.0-only
//! Serves made-up statistics over the real scx_stats library, for tests of a client of it:
//! `scx-stats-server SOCKET`, until stdin ends. `scx-stats-server --reply LINE...` prints what the
//! library answers to the last line; a line that begins with `!` goes over a connection of its own.
//! Targets: top (deltas per connection), gauges (absolute values), samples (one sampler at a time,
//! argument nr_samples), slow (argument ms), failing.

use anyhow::{Context, Result, bail};
use scx_stats::prelude::*;
use scx_stats_derive::Stats;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Clone, Debug, Default, Serialize, Deserialize, Stats)]
#[stat(desc = "one layer", _om_prefix = "l_", _om_label = "layer_name")]
struct Layer {
    #[stat(desc = "CPU utilization (100% means one full CPU)")]
    util: f64,
    #[stat(desc = "number of tasks")]
    tasks: u32,
    #[stat(desc = "mask of allocated CPUs", _om_skip)]
    cpus: Vec<u64>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, Stats)]
#[stat(desc = "statistics since the last request", top)]
struct Metrics {
    #[stat(desc = "tasks running now")]
    nr_running: u64,
    #[stat(desc = "tasks put on a queue since the last request")]
    nr_enqueued: u64,
    #[stat(desc = "id of the busiest queue", _om_skip)]
    dsq_id: u64,
    #[stat(desc = "smallest lag seen")]
    min_lag: i64,
    #[stat(desc = "load")]
    load: f64,
    mode: String,
    #[stat(desc = "by layer")]
    layers: BTreeMap<String, Layer>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Stats)]
struct Sample {
    pid: i32,
    comm: String,
    dsq_id: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, Stats)]
struct Samples {
    samples: Vec<Sample>,
}

fn metrics(nr_enqueued: u64) -> Metrics {
    let layer = |util, tasks, cpus| Layer { util, tasks, cpus };
    Metrics {
        nr_running: 3,
        nr_enqueued,
        dsq_id: 0x8000_0000_0000_0002,
        min_lag: i64::MIN,
        load: 0.1 + 0.2,
        mode: "balanced".into(),
        layers: BTreeMap::from([
            ("batch".into(), layer(150.25, 12, vec![u64::MAX, 3])),
            ("web.slice".into(), layer(f64::NAN, 0, vec![])),
        ]),
    }
}

type Ops = StatsOps<(), ()>;
type Reader = Box<dyn StatsReader<(), ()>>;

/// Counts a thousand a second. A connection is told what was added since its last request.
fn deltas(started: Instant) -> Ops {
    let counter = move || started.elapsed().as_millis() as u64;
    let open = move |_: (&_, &_)| -> Result<Reader> {
        let mut last = counter();
        Ok(Box::new(move |_args, _channels| {
            let now = counter();
            let grown = now - std::mem::replace(&mut last, now);
            metrics(grown).to_json()
        }))
    };
    Ops {
        open: Box::new(open),
        close: None,
    }
}

/// The newest connection samples, all others have lost it, as with scx_lavd.
fn single_sampler() -> Ops {
    let newest = Arc::new(AtomicU64::new(0));
    let open = move |_: (&_, &_)| -> Result<Reader> {
        let newest = newest.clone();
        let own = newest.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Box::new(move |args, _channels| {
            if newest.load(Ordering::SeqCst) != own {
                bail!("preempted by another sampler");
            }
            let count: i32 = args.get("nr_samples").map_or(Ok(1), |n| n.parse())?;
            let sample = |pid| Sample {
                pid,
                comm: "kworker/0:1\u{1b}[2J".into(),
                dsq_id: u64::MAX - pid as u64,
            };
            Samples {
                samples: (1..=count).map(sample).collect(),
            }
            .to_json()
        }))
    };
    Ops {
        open: Box::new(open),
        close: None,
    }
}

fn server(path: &Path) -> Result<StatsServer<(), ()>> {
    let data = StatsServerData::<(), ()>::new()
        .add_meta(Metrics::meta())
        .add_meta(Layer::meta())
        .add_meta(Samples::meta())
        .add_meta(Sample::meta())
        .add_ops("top", deltas(Instant::now()))
        .add_ops("samples", single_sampler())
        .add_stats("gauges", Box::new(|_, _| metrics(1_000_000).to_json()))
        .add_stats(
            "slow",
            Box::new(|args, _| {
                let ms = args
                    .get("ms")
                    .context("the argument ms is missing")?
                    .parse()?;
                std::thread::sleep(Duration::from_millis(ms));
                metrics(0).to_json()
            }),
        )
        .add_stats(
            "failing",
            Box::new(|_, _| {
                std::fs::read_to_string("/nonexistent").context("reading the map")?;
                bail!("unreachable")
            }),
        );
    StatsServer::new(data).set_path(path).launch()
}

/// A tenth of a second between the lines, so that counters grow.
fn replies(path: &Path, lines: &[String]) -> Result<String> {
    let first = UnixStream::connect(path)?;
    let mut others = Vec::new();
    let mut answer = String::new();
    for line in lines {
        let mut stream = match line.strip_prefix('!') {
            Some(_) => UnixStream::connect(path)?,
            None => first.try_clone()?,
        };
        writeln!(stream, "{}", line.trim_start_matches('!'))?;
        answer.clear();
        BufReader::new(&stream).read_line(&mut answer)?;
        others.push(stream);
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(answer)
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args
        .first()
        .context("usage: scx-stats-server SOCKET")?
        .as_str()
    {
        "--version" => println!("scx-stats-server {}", env!("CARGO_PKG_VERSION")),
        "--reply" => {
            let path = PathBuf::from(format!("/tmp/scx-stats-server-{}", std::process::id()));
            let _server = server(&path)?;
            let answer = replies(&path, &args[1..]);
            std::fs::remove_file(&path)?;
            print!("{}", answer?);
        }
        path => {
            let _server = server(Path::new(path))?;
            println!("listening");
            std::io::stdin().read_to_end(&mut Vec::new())?;
        }
    }
    Ok(())
}
