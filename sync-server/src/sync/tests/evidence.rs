//! The signed chain of photos as the server sees it land.

use gridwalk_evidence::sha256;
use gridwalk_model::photo::{PhotoRef, PhotoRole, PhotoSource};
use gridwalk_model::photo_chain::{ChainLink, ChainState, Chained};
use gridwalk_model::voice::{VoiceFormat, VoiceRef};
use gridwalk_model::{ContentHash, DeviceId, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::Actor;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};

use crate::storage::access::NewDevice;
use crate::sync::chain_state;
use crate::testing::{Phone, World};

/// A phone whose key the server knows, and a made-up event.
struct Street {
    world: World,
    phone: Phone,
    key: SigningKey,
    event: RecordId,
    last: Option<(u64, ContentHash)>,
}

fn street() -> Street {
    let world = World::new();
    let grid = world.area("g1");
    let mut phone = world.worker("甲", &[grid]);
    let key = SigningKey::from_slice(&[7; 32]).unwrap();
    let device = DeviceId::from_bytes([5; 12]);
    let public = key.verifying_key().to_sec1_point(false);
    let now = world.now();
    world
        .store()
        .update(|tx| {
            let person = tx.person(phone.user)?.unwrap().no;
            let public_key = public.as_bytes();
            tx.insert_device(&NewDevice { id: device, person, public_key, label: "phone", enrolled_at: now })
        })
        .unwrap();
    phone.device = device;
    phone.actor = Actor::new(device, [1; 4]);
    phone.sync(&world);
    let event = phone.create(&world, Kind::Event, &[("area", grid.into()), ("category", "other".into())]);
    phone.sync(&world);
    Street { world, phone, key, event, last: None }
}

impl Street {
    /// A photo that is signed and, as a phone would, remembered as the last one.
    fn signed(&mut self, element: RecordId) -> PhotoRef {
        let photo = PhotoRef {
            hash: ContentHash::from_bytes([element.as_bytes()[0]; 32]),
            preview_hash: None,
            original_hash: None,
            bytes: 1_000,
            taken_at: Some(self.world.now()),
            position: None,
            role: PhotoRole::Before,
            source: PhotoSource::Camera,
            width: 1920,
            height: 1440,
            perceptual: None,
            mock_location: None,
            signature: None,
            pair: None,
            link: None,
            reuse: None,
            blurred: None,
        };
        self.chained(element, &photo)
    }

    /// A voice note likewise.
    fn spoken(&mut self, element: RecordId) -> VoiceRef {
        let voice = VoiceRef {
            hash: ContentHash::from_bytes([element.as_bytes()[0]; 32]),
            bytes: 40_000,
            millis: 9_000,
            format: VoiceFormat::Opus,
            recorded_at: self.world.now(),
            transcript: Some("虚构".into()),
            signature: None,
            link: None,
        };
        self.chained(element, &voice)
    }

    fn chained<E: Chained>(&mut self, element: RecordId, evidence: &E) -> E {
        let link = Some(ChainLink::after(self.last));
        let message = evidence.signed(link, None).signed_message(self.event, element);
        let signature: Signature = self.key.sign(&message);
        let number = self.last.map_or(1, |(number, _)| number + 1);
        self.last = Some((number, ContentHash::from_bytes(sha256(&message))));
        evidence.signed(link, Some(signature.to_bytes().to_vec()))
    }

    fn land(&mut self, element: RecordId, photo: &PhotoRef) {
        self.land_in("photos", element, photo.to_bytes());
    }

    fn land_in(&mut self, set: &str, element: RecordId, bytes: Vec<u8>) {
        let name = format!("{set}/{}", element.to_hex());
        self.phone.edit(&self.world, self.event, &[(name.as_str(), Value::Bytes(bytes))]);
        self.phone.sync(&self.world);
    }

    fn state(&self, element: RecordId, evidence: &impl Chained) -> ChainState {
        self.world.store().view(|tx| chain_state(tx, self.event, element, evidence)).unwrap()
    }
}

fn id(n: u8) -> RecordId {
    RecordId::from_bytes([n; 16])
}

#[test]
fn a_gap_in_the_chain_is_seen_until_the_missing_photo_lands() {
    let mut street = street();
    let photos: Vec<PhotoRef> = (1..=3).map(|n| street.signed(id(n))).collect();
    street.land(id(1), &photos[0]);
    street.land(id(3), &photos[2]);
    assert_eq!(street.state(id(1), &photos[0]), ChainState::Whole);
    assert_eq!(street.state(id(3), &photos[2]), ChainState::Gap);
    street.land(id(2), &photos[1]);
    for (n, photo) in (1..).zip(&photos) {
        assert_eq!(street.state(id(n), photo), ChainState::Whole, "photo {n}");
    }
}

#[test]
fn voice_notes_stand_in_the_same_chain() {
    let mut street = street();
    let first = street.signed(id(1));
    let voice = street.spoken(id(2));
    let last = street.signed(id(3));
    street.land(id(1), &first);
    street.land(id(3), &last);
    assert_eq!(street.state(id(3), &last), ChainState::Gap, "the voice note is on its way");
    street.land_in("voices", id(2), voice.to_bytes());
    assert_eq!(street.state(id(2), &voice), ChainState::Whole);
    assert_eq!(street.state(id(3), &last), ChainState::Whole);
    let later = VoiceRef { transcript: Some("改过（虚构）".into()), ..voice };
    assert_eq!(street.state(id(2), &later), ChainState::Altered, "altered in the store");
    let truth = street.spoken(id(4));
    let altered = VoiceRef { millis: 1, ..truth };
    street.land_in("voices", id(4), altered.to_bytes());
    assert_eq!(street.state(id(4), &altered), ChainState::Altered, "altered before it landed");
    let bare = VoiceRef { link: None, signature: None, ..altered };
    street.land_in("voices", id(5), bare.to_bytes());
    assert_eq!(street.state(id(5), &bare), ChainState::Unsigned, "as of an older build");
}

#[test]
fn an_altered_fact_a_foreign_key_and_a_fork_are_seen() {
    let mut street = street();
    let first = street.signed(id(1));
    street.land(id(1), &first);
    let truth = street.signed(id(2));
    let altered = PhotoRef { taken_at: Some(Timestamp::from_millis(0)), ..truth.clone() };
    street.land(id(2), &altered);
    assert_eq!(street.state(id(2), &altered), ChainState::Altered, "altered before it landed");
    let later = PhotoRef { position: None, bytes: 7, ..first.clone() };
    assert_eq!(street.state(id(1), &later), ChainState::Altered, "altered in the store");
    // Nothing stands where the altered one would have been.
    let third = street.signed(id(3));
    street.land(id(3), &third);
    assert_eq!(street.state(id(3), &third), ChainState::Gap);

    street.key = SigningKey::from_slice(&[9; 32]).unwrap();
    let foreign = street.signed(id(4));
    street.land(id(4), &foreign);
    assert_eq!(street.state(id(4), &foreign), ChainState::Altered);

    street.key = SigningKey::from_slice(&[7; 32]).unwrap();
    street.last = None;
    let again = street.signed(id(5));
    street.land(id(5), &again);
    assert_eq!(street.state(id(5), &again), ChainState::Forked, "a second first one");
    let bare = PhotoRef { link: None, signature: None, ..first };
    street.land(id(6), &bare);
    assert_eq!(street.state(id(6), &bare), ChainState::Unsigned);
}
