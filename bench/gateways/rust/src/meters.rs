//! What the process records of itself.

use crate::{
    config::{Config, Malformed},
    drops::DropRecord,
    hiccups::HiccupMeter,
};

pub struct Meters {
    hiccups: Option<HiccupMeter>,
    drops: Option<DropRecord>,
}

impl Meters {
    pub fn start(config: &Config) -> Result<Self, Malformed> {
        Ok(Self {
            hiccups: config.hiccups.as_ref().map(HiccupMeter::start).transpose()?,
            drops: config.meters.as_deref().map(DropRecord::start).transpose()?,
        })
    }

    /// Writes the last records.
    pub fn close(&self) {
        if let Some(hiccups) = &self.hiccups {
            hiccups.close();
        }
        if let Some(drops) = &self.drops {
            drops.close();
        }
    }
}
