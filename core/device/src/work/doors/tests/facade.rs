//! The asynchronous face.

use gridwalk_model::records::base_verification::VerificationMethod;

use super::*;
use crate::device::{Device, DeviceOptions};
use crate::testkit::{USER, device};

#[tokio::test]
async fn a_screen_does_and_takes_back() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Device::open(DeviceOptions::host(folder.path())).await.unwrap();
    phone.with_store(|store, _| store.enrol(device(1), USER, "测试员（虚构）", "虚构区")).await.unwrap();
    let door = phone.create(dwelling("3号楼", "501")).await.unwrap();
    let came = phone.at_door(AtDoor::in_person(door), newcomer("张三")).await.unwrap();
    let board = phone.board("阳光里", "3号楼").await.unwrap();
    assert_eq!((board.floors[0].floor, board.floors[0].doors[0].people), (Some(5), 1));
    assert_eq!(phone.provisional_newcomers().await.unwrap().len(), 1);
    let floor = phone.confirm_floor(vec![door], VerificationMethod::InPerson, None).await.unwrap();
    assert_eq!(floor.confirmed.len(), 0, "the move confirmed it today");
    assert_eq!(phone.door_operations(None, 9).await.unwrap().len(), 1);
    let person = came.people[0];
    let edited = phone.edit_person(person, crate::testkit::fields(&[("workplace", "面馆")])).await.unwrap();
    phone.undo_door(edited.operation.unwrap()).await.unwrap();
    assert_eq!(phone.person(person).await.unwrap().unwrap().resident.workplace, None);
    phone.undo_door(came.operation).await.unwrap();
    let sheet = phone.door(door).await.unwrap();
    assert_eq!((sheet.people.len(), sheet.history.len()), (0, 0));
    phone.close().await.unwrap();
}
