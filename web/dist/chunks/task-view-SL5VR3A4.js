import{b as a,c as b,d as c,e as d}from"./chunk-CEETOB5U.js";export{d as actionsOf,b as rowOf,a as taskOfMessage,c as taskView};
