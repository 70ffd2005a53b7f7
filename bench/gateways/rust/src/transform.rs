//! What a route does to the top level of a payload.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Transform {
    remove: Vec<String>,
    rename: BTreeMap<String, String>,
    set: Object,
}

impl Transform {
    /// Where names collide, set members win over renamed ones, and those over original ones.
    pub fn apply(&self, mut payload: Object) -> Object {
        for name in &self.remove {
            payload.remove(name);
        }
        // All are taken out before any is put back: two members may swap their names.
        let renamed: Vec<_> =
            self.rename.iter().filter_map(|(from, to)| Some((to.clone(), payload.remove(from)?))).collect();
        payload.extend(renamed);
        payload.extend(self.set.iter().map(|(name, value)| (name.clone(), value.clone())));
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn apply(transform: Value, payload: Value) -> Value {
        let transform: Transform = serde_json::from_value(transform).unwrap();
        transform.apply(serde_json::from_value(payload).unwrap()).into()
    }

    #[test]
    fn set_wins_over_renamed_and_renamed_over_original() {
        let transform = json!({"rename": {"a": "b", "c": "d"}, "set": {"d": 0}});
        assert_eq!(apply(transform, json!({"a": 1, "b": 2, "c": 3, "d": 4})), json!({"b": 1, "d": 0}));
    }

    #[test]
    fn names_may_be_swapped() {
        assert_eq!(apply(json!({"rename": {"a": "b", "b": "a"}}), json!({"a": 1, "b": 2})), json!({"a": 2, "b": 1}));
    }

    #[test]
    fn a_removed_member_is_not_renamed_and_a_renamed_one_not_removed() {
        let transform = json!({"remove": ["a", "c"], "rename": {"a": "b", "d": "c"}});
        assert_eq!(apply(transform, json!({"a": 1, "c": 2, "d": 3})), json!({"c": 3}));
    }

    #[test]
    fn only_the_top_level_changes() {
        assert_eq!(apply(json!({"remove": ["a"]}), json!({"b": {"a": 1}})), json!({"b": {"a": 1}}));
    }
}
